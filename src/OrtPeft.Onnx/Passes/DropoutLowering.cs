using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Replaces <c>Dropout</c>. In evaluation it is the identity. In training its mask is computed from a seed that is fed,
/// by integer hashing in standard operators: ONNX Runtime drops live Dropout nodes when it optimises, and its own
/// generator could not be put back where it was on resume. Where nothing but data can be fed, the generator does it.
/// </summary>
internal static class DropoutLowering
{
    /// <summary>Makes the mask of the dropout of an index: true where an element is kept.</summary>
    private delegate Term MaskMaker(Term x, double ratio, int index);

    /// <summary>Removes every dropout.</summary>
    /// <param name="model">The model; edited in place.</param>
    public static void ForEvaluation(Model model) => ForEvaluation(model, static _ => true);

    /// <summary>Removes some dropouts, such as those of the base when only an adapter's are wanted.</summary>
    /// <param name="model">The model; edited in place.</param>
    /// <param name="choose">Which <c>Dropout</c> nodes go.</param>
    public static void ForEvaluation(Model model, Func<Node, bool> choose)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(choose);
        foreach (var node in Dropouts(model.Graph).Where(choose))
            Replace(node, node.Inputs[0]!);
    }

    /// <summary>Makes every live dropout repeatable; others are removed.</summary>
    /// <param name="model">The model; edited in place, gains the input <see cref="SeededBits.SeedInput"/> if any dropout is
    /// live.</param>
    /// <param name="shapes">Has inferred the model.</param>
    /// <returns>That input, or null.</returns>
    /// <exception cref="UnsupportedOpException">A live dropout's ratio is computed at run time.</exception>
    public static Value? ForTraining(Model model, ShapeInference shapes)
    {
        ArgumentNullException.ThrowIfNull(model);
        Value? seed = null;
        Lower(model, shapes, (x, ratio, index) => HashedMask(
            x, ratio, index, seed ??= SeededBits.AddSeed(model.Graph)));
        return seed;
    }

    /// <summary>
    /// Lets ONNX Runtime's generator draw the mask of every live dropout, another one at each run; others are removed.
    /// </summary>
    /// <param name="model">The model; edited in place, without a new input.</param>
    /// <param name="shapes">Has inferred the model.</param>
    /// <returns>Null.</returns>
    /// <exception cref="UnsupportedOpException">A live dropout's ratio is computed at run time.</exception>
    /// <remarks>The nodes have no seed of their own, so the runtime's counts: the training API's <c>SetSeed</c>, the
    /// clock where it was not called.</remarks>
    public static Value? ForTrainingWithGenerator(Model model, ShapeInference shapes)
    {
        Lower(model, shapes, DrawnMask);
        return null;
    }

    private static void Lower(Model model, ShapeInference shapes, MaskMaker mask)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        var builder = new GraphBuilder(graph, shapes);
        foreach (var (index, node) in Dropouts(graph).Index())
        {
            var x = node.Inputs[0]!;
            Replace(node, RatioOf(node) is > 0 and var ratio ? Masked(builder.Term(x), node, ratio, index, mask) : x);
        }
    }

    private static Node[] Dropouts(Graph graph) =>
        [.. graph.Nodes.Where(static n => n.Is("Dropout") && n.Outputs.Skip(1).All(static o => !o.IsRead()))];

    private static bool IsRead(this Value value) => value.Uses.Count > 0 || value.IsGraphOutput;

    /// <summary>A result of the graph keeps its name.</summary>
    private static void Replace(Node node, Value replacement)
    {
        var (graph, output) = (node.Graph!, node.Output);
        if (output.IsGraphOutput)
        {
            var name = output.Name;
            graph.Rename(output, graph.FreshName(name + "/replaced"));
            replacement = graph.AddNode("Identity", [replacement], [name], before: node).Output;
            (replacement.Type, replacement.Shape) = (output.Type, output.Shape);
        }

        graph.ReplaceAllUsesWith(output, replacement);
        graph.Remove(node);
    }

    /// <summary>The probability of a drop; 0 unless the training mode is constant and on.</summary>
    private static double RatioOf(Node node)
    {
        if (node.Input(2)?.Constant is not { } mode || mode.ToInt64()[0] == 0)
            return 0;
        if (node.Input(1) is not { } ratio)
            return 0.5;
        return ratio.Constant?.ToFloat32()[0] ?? throw new UnsupportedOpException(
            $"{node}: its ratio '{ratio.Name}' is computed at run time; make it constant.");
    }

    private static Value Masked(Term x, Node node, double ratio, int index, MaskMaker mask)
    {
        var g = x.Builder;
        g.Before = node;
        g.Scope = $"{(node.Name.Length > 0 ? node.Name : "/dropout")}/{index}";
        var scale = ratio < 1 ? 1 / (1 - ratio) : 0;
        Value kept = Where(mask(x, ratio, index), x * scale, 0);
        g.Before = null;
        (kept.Type, kept.Shape) = (x.Type, x.Shape);
        return kept;
    }

    /// <summary>Element i is kept when its bits reach the ratio's place in the range.</summary>
    private static Term HashedMask(Term x, double ratio, int index, Value seed)
    {
        var g = x.Builder;
        var (bits, shape) = SeededBits.Of(x, index, seed);
        var threshold = Math.Min(ratio * Math.Pow(2, 32), uint.MaxValue);
        return SeededBits.Reached(bits, bits.Number(Math.Floor(threshold)), shape);
    }

    /// <summary>Element i is kept when a number of [0, 1) reaches the ratio.</summary>
    private static Term DrawnMask(Term x, double ratio, int index)
    {
        var g = x.Builder;
        return g.Term(g.Op("RandomUniformLike", [x], NodeAttribute.Of("dtype", (long)ElementType.Float))) >= ratio;
    }
}

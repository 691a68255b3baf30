using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes.Contrib;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Leaves a decoder the inputs that rows of tokens bring and computes the others from them, so that whoever runs the
/// graph feeds ids, a mask [batch, sequence] of 0 and 1, and positions: masks of other types and of more axes, caches
/// of a fixed length and other states, which begin as zeros, places in a cache, and numbers with an obvious neutral
/// value.
/// </summary>
internal static class RowInputs
{
    private static readonly string[] MaskForms =
        ["Identity", "Slice", "Unsqueeze", "Squeeze", "Reshape", "Expand", "Gather", "Transpose"];

    private static readonly Dictionary<string, Func<float, float, bool>> Comparisons = new()
    {
        ["Equal"] = static (a, b) => a == b,
        ["Greater"] = static (a, b) => a > b,
        ["GreaterOrEqual"] = static (a, b) => a >= b,
        ["Less"] = static (a, b) => a < b,
        ["LessOrEqual"] = static (a, b) => a <= b,
    };

    /// <summary>Runs the pass in place; a graph without tokens stays as it is.</summary>
    /// <param name="model">The model, its growing caches removed.</param>
    /// <param name="kept">Inputs that stay although nothing reads them, as parameters do; none when left out.</param>
    public static void Run(Model model, IReadOnlyCollection<Value>? kept = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        if (graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids) is not { } ids)
            return;
        var g = new GraphBuilder(graph, new ShapeInference(model.Opset))
        {
            Before = graph.Nodes.Count > 0 ? graph.Nodes[0] : null,
            Scope = "/rows",
        };
        foreach (var input in graph.Inputs.Where(static i => i.Initializer is null).ToArray())
        {
            if (input == ids)
                continue;
            if (IsUnread(input) && kept?.Contains(input) != true)
                graph.Remove(input);
            else if (Computed(g, ids, input) is { } value)
                Replace(graph, input, value);
            else if (input is { Name: DecoderNames.Mask, Shape: null or { Rank: 2 or 3 or 4 } } && !IsUsual(input, ids))
                ReplaceMask(g, ids, input);
        }
    }

    /// <summary>
    /// Whether a mask of numbers for pairs of tokens is added to attention scores, being 0 where a token is seen: not where the
    /// graph takes it from 1, or 1 from it, makes it bool, tells 1 from 0 by comparing, or multiplies scores with it, which
    /// wants 1 there.
    /// </summary>
    /// <param name="mask">A graph input.</param>
    /// <returns>True by its type, axes and readers.</returns>
    /// <exception cref="GraphException">The mask is multiplied by a negative number, which wants 1 where a token is not
    /// seen.</exception>
    public static bool IsAdded(Value mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (!mask.Type.IsFloating() || mask.Shape is not { Rank: > 2 })
            return false;
        var (seen, open) = (new HashSet<Value>(), new Stack<Value>([mask]));
        while (open.TryPop(out var next))
        {
            foreach (var (node, index) in seen.Add(next) ? next.Uses : [])
            {
                if (WantsOne(node, index))
                    return false;
                if (Scale(node, index) < 0)
                {
                    throw new GraphException(
                        $"{node} multiplies the input '{mask.Name}' by {Scale(node, index)}: it wants numbers other than 0 where "
                        + "tokens are hidden. Export the model with a mask of 1 where a token counts, or with one that is added to "
                        + "scores.");
                }

                if (index == 0 && (node.Is("Cast") || MaskForms.Contains(node.OpType)))
                    open.Push(node.Output);
                else if (Scale(node, index) is not null)
                    open.Push(node.Output);
            }
        }

        return true;
    }

    private static bool WantsOne(Node node, int index)
    {
        if (node.Is("Cast"))
            return !node.Output.Type.IsFloating();
        if (node.Is("Sub"))
            return index == 1 || node.Inputs[1]!.Constant is { Count: 1 };
        if (node.Is("Mul"))
            return node.Inputs[1 - index]!.Constant is null;
        if (!node.Is(node.OpType) || !Comparisons.TryGetValue(node.OpType, out var holds)
            || Number(node.Inputs[1 - index]!) is not { } bound)
            return false;
        return Holds(0) != Holds(1) && (Holds(0) == Holds(float.MinValue) || Hides(node.Output));

        bool Holds(float number) => index == 0 ? holds(number, bound) : holds(bound, number);
    }

    /// <summary>Whether tokens are hidden where a value is true: it is negated, or the lowest score is taken there.</summary>
    private static bool Hides(Value value) => value.Uses.Any(static use => use.Node.OpType switch
    {
        "Not" => true,
        "Where" => use.Index == 0 && use.Node.Inputs[1] is { } score && Number(score) < 0,
        var form => use.Index == 0 && MaskForms.Contains(form) && Hides(use.Node.Output),
    });

    /// <summary>The number that a node multiplies its input by, or null.</summary>
    private static float? Scale(Node node, int index) => node.Is("Mul") ? Number(node.Inputs[1 - index]!)
        : node.Is("Div") && index == 0 ? 1 / Number(node.Inputs[1]!)
        : null;

    private static float? Number(Value value) => value.Constant is { Count: 1 } number ? number.ToFloat32()[0] : null;

    /// <summary>Whether nothing depends on an input: whoever runs the graph need not bring it.</summary>
    /// <param name="input">A graph input.</param>
    /// <returns>True by its readers.</returns>
    public static bool IsUnread(Value input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.Uses.Count == 0 && !input.IsGraphOutput;
    }

    private static Value? Computed(GraphBuilder g, Value ids, Value input)
    {
        if (SharedInputs.IsCountOfLogits(input) || SharedInputs.IsPastLength(input))
            return g.Constant(Zero(input.Type, input.Shape?.Rank ?? 0), input.Name);
        if (SharedInputs.IsTotalLength(input))
        {
            var length = Cast(Lengths.Of(g, ids, 1), input.Type);
            return input.Shape!.Rank == 0 ? length : Unsqueeze(length, 0);
        }

        if (SharedInputs.ArePlaces(input))
            return Cast(Lengths.CountTo(g, Lengths.Of(g, ids, 1)), input.Type);
        return CacheInputs.IsState(input) ? Zeros(g, ids, input) : null;
    }

    private static Tensor Zero(ElementType type, int rank)
    {
        long[] dims = rank == 0 ? [] : [1];
        return type == ElementType.Int64 ? Tensor.Of<long>([0], dims) : Tensor.Of<int>([0], dims);
    }

    /// <summary>A state as it is before the first token; its one unknown axis is the batch.</summary>
    private static Value Zeros(GraphBuilder g, Value ids, Value state)
    {
        var axes = state.Shape!.Select(d => d.Value is { } length
            ? g.Int64(length)
            : g.Op("Slice", g.Shape(ids), g.Int64(0), g.Int64(1)));
        var zero = g.Cast(g.Constant(Tensor.Vector(0f), "zero"), state.Type);
        return g.Expand(zero, g.Concat(0, [.. axes]));
    }

    private static bool IsUsual(Value mask, Value ids) =>
        mask.Type is ElementType.Int64 or ElementType.Int32 or ElementType.Float
        && (mask.Shape is not { } shape || (shape.Rank == 2 && !IsLonger(shape[1], ids)));

    /// <summary>Whether an axis has a length of its own where the sequence has not: it spans a cache.</summary>
    private static bool IsLonger(Dim axis, Value ids) =>
        axis.Value is not null && ids.Shape is { Rank: 2 } tokens && tokens[1].Value is null;

    private static void ReplaceMask(GraphBuilder g, Value ids, Value mask)
    {
        var isAdded = IsAdded(mask);
        g.Graph.Rename(mask, g.Graph.FreshName($"{mask.Name}_given"));
        var rows = g.Graph.AddInput(DecoderNames.Mask, ElementType.Int64, ids.Shape);
        var shape = mask.Shape ?? rows.Shape;
        var (seen, key) = shape is { Rank: > 2 } ? (SeenPairs(g, rows, shape), shape.Rank - 1) : (rows, 1);
        if (shape is not null && IsLonger(shape[key], ids))
            seen = Lengthened(g, seen, key, shape[key].Value!.Value);
        var value = isAdded
            ? g.Where(
                g.Cast(seen, ElementType.Bool),
                g.ScalarLike(mask, 0),
                g.ScalarLike(mask, AttentionMasks.Lowest(mask.Type)))
            : g.Cast(seen, mask.Type);
        Replace(g.Graph, mask, value);
    }

    /// <summary>
    /// The keys that each query sees, <c>[batch, 1, sequence, sequence] int64</c> or without the second axis: none after it
    /// and no padding; itself always, so that padding sees something. With one query axis for all, padding alone counts.
    /// </summary>
    private static Value SeenPairs(GraphBuilder g, Value rows, Shape shape)
    {
        var keys = shape.Rank == 3 ? Unsqueeze(g.Term(rows), 1) : Unsqueeze(g.Term(rows), 1, 2);
        var counted = Lengths.CountTo(g, Lengths.Of(g, rows, 1));
        var (query, key) = (Unsqueeze(counted, 1), Unsqueeze(counted, 0));
        var seen = shape[shape.Rank - 2].Value == 1
            ? keys
            : Cast((Cast(keys, ElementType.Bool) & (key <= query)) | Equal(key, query), ElementType.Int64);
        return shape.Rank == 4 && shape[1].Value is { } heads and > 1
            ? g.Expand(seen, g.Concat(0, g.Int64(1, heads, 1, 1)))
            : seen;
    }

    private static Value Lengthened(GraphBuilder g, Value seen, int axis, long length)
    {
        var missing = g.Term(g.Int64(length)) - g.Op("Slice", g.Shape(seen), g.Int64(axis), g.Int64(axis + 1));
        var none = g.Int64([.. new long[(2 * axis) + 1]]);
        return g.Op("Pad", seen, g.Concat(0, none, missing), g.Int64Scalar(0));
    }

    private static void Replace(Graph graph, Value input, Value value)
    {
        graph.ReplaceAllUsesWith(input, value);
        graph.Remove(input);
    }
}

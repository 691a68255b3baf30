using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Contrib;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes.Idioms;

/// <summary>
/// Writes RMSNorm out in standard operators, x / √(mean(x²) + ε) · scale, as HF's exports have it: for models that
/// leave OrtPeft. <c>SimplifiedLayerNormalization</c>, which <see cref="RmsNormFusion"/> makes, is ONNX Runtime's own;
/// it fuses this form again when it loads a model. The opposite of that pass.
/// </summary>
/// <seealso href="https://arxiv.org/abs/1910.07467">Zhang and Sennrich, equation 4.</seealso>
internal static class RmsNormLowering
{
    /// <summary>Runs the pass in place; a node whose statistic is read stays.</summary>
    /// <param name="model">The model, in canonical form.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var fused = model.Graph.Nodes.Where(static n => n.Is(RootMeanSquare.OpType) && !IsStatisticRead(n)).ToArray();
        if (fused.Length == 0)
            return;
        var g = GraphBuilder.Over(model);
        foreach (var node in fused)
            Lower(g, node);
    }

    private static void Lower(GraphBuilder g, Node node)
    {
        (g.Before, g.Scope) = (node, node.Name);
        var (x, y) = (g.Term(node.Inputs[0]!), node.Output);
        var rank = x.Shape?.Rank ?? throw new GraphException($"{node}: the number of axes of {x} is unknown.");
        var first = node.Attributes.Int("axis", -1);
        var axes = Enumerable.Range(0, rank).Select(static a => (long)a).Skip((int)(first < 0 ? first + rank : first));
        var root = Sqrt(Mean(Pow(x, 2), [.. axes]) + node.Attributes.Float("epsilon", 1e-5f));
        Value result = x / root * node.Inputs[1]!;
        (result.Type, result.Shape) = (y.Type, y.Shape);
        Replacement.Put(g, node, [result]);
    }

    private static bool IsStatisticRead(Node node) =>
        node.Outputs.Skip(1).Any(static o => o.Uses.Count > 0 || o.IsGraphOutput);
}

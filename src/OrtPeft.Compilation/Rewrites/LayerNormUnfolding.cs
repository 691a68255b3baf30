using OrtPeft.Compilation.Rewrites.Fusing;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>
/// Writes layer normalisation over the last axis out where its gradient needs the statistics: the centred and the
/// normalised rows are then the same values in both directions, and ONNX Runtime's element-wise operators are faster
/// than the sums in its <c>LayerNormalization</c>, which add one number after the other.
/// </summary>
internal static class LayerNormUnfolding
{
    private const int OutputsWithStatistics = 3;

    public static void Run(GraphBuilder g)
    {
        foreach (var node in g.Graph.Nodes.Where(IsMeant).ToArray())
        {
            g.Before = node;
            g.Scope = node.Name;
            Unfold(g, node);
        }
    }

    private static bool IsMeant(Node node) => node.Is("LayerNormalization")
        && node.Outputs.Count == OutputsWithStatistics
        && Fused.IsOnLastAxis(node)
        && node.Inputs[0]!.Type is ElementType.Float;

    private static void Unfold(GraphBuilder g, Node node)
    {
        var (x, scale) = (node.Inputs[0]!, node.Inputs[1]!);
        var last = x.Shape!.Rank - 1L;
        var mean = g.ReduceMean(x, [last]);
        var centred = g.Sub(x, mean);
        var variance = g.ReduceMean(g.Mul(centred, centred), [last]);
        var inverse = g.Op("Reciprocal", g.Op("Sqrt", g.Add(variance, node.Attributes.Float("epsilon", 1e-5f))));
        var y = g.Mul(g.Mul(centred, inverse), scale);
        if (node.Input(2) is { } bias)
            y = g.Add(y, bias);
        Replacement.Put(g, node, y, mean, inverse);
    }
}

using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>
/// Layer normalisation and the gradient at its input, a node each, where the gradient at the scale, which needs the
/// normalised rows, is not asked for.
/// </summary>
internal static class LayerNormKernels
{
    private const int OutputsWithStatistics = 3;

    public static void Run(GraphBuilder g)
    {
        foreach (var node in g.Graph.Nodes.Where(static n => IsMeant(n) && HasStatistics(n)).ToArray())
        {
            var (x, scale) = (node.Inputs[0]!, node.Inputs[1]!);
            if (Gradient(node) is var (gradient, dY))
                Replacement.Put(
                    g, gradient, Fused.Op(g, gradient, FusedOps.LayerNormGrad, x, dY, x, scale, Epsilon(g, node)));
        }

        // Gradients that are gone read the statistics.
        g.Graph.RemoveDeadCode();
        foreach (var node in g.Graph.Nodes.Where(static n => IsMeant(n) && AreStatisticsUnread(n)).ToArray())
        {
            var (x, scale, bias) = (node.Inputs[0]!, node.Inputs[1]!, node.Inputs[2]!);
            Replacement.Put(g, node, Fused.Op(g, node, FusedOps.LayerNorm, x, x, scale, bias, Epsilon(g, node)));
        }
    }

    private static Value Epsilon(GraphBuilder g, Node node) =>
        g.Scalar(ElementType.Float, node.Attributes.Float("epsilon", 1e-5f));

    private static bool HasStatistics(Node node) => node.Outputs.Count == OutputsWithStatistics;

    private static bool AreStatisticsUnread(Node node) =>
        node.Outputs.Skip(1).All(static o => o.Uses.Count == 0 && !o.IsGraphOutput);

    private static bool IsMeant(Node node) => node.Is("LayerNormalization") && Fused.IsOnLastAxis(node)
        && node.Outputs.Count is 1 or OutputsWithStatistics
        && node.Inputs[0] is { Type: ElementType.Float, Shape: { } shape } && shape[shape.Rank - 1].Value is { } columns
        && IsVector(node.Inputs[1], columns) && IsVector(node.Input(2), columns);

    private static bool IsVector(Value? value, long length) =>
        value?.Shape is { Rank: 1 } shape && shape[0].Value == length;

    /// <summary>((g − mean(g)) − x̂·slope)·inverse with g = dY·scale, where x̂ goes nowhere else.</summary>
    private static (Node Node, Value DY)? Gradient(Node forward)
    {
        var (x, scale, mean, inverse) =
            (forward.Inputs[0]!, forward.Inputs[1]!, forward.Outputs[1], forward.Outputs[2]);
        if (mean.Uses is not [{ Node: var centring }] || !centring.Is("Sub") || inverse.Uses.Count != 2)
            return null;
        var normal = Fused.Readers(centring.Output, "Mul").FirstOrDefault(n => n.Inputs[1] == inverse)?.Output;
        if (normal is not { Uses.Count: 2 })
            return null;
        foreach (var node in Fused.Readers(inverse, "Mul").Where(n => n.Output != normal))
        {
            if (Fused.Maker(node.Inputs[0], "Sub") is { } rest
                && Fused.Maker(rest.Inputs[0], "Sub") is { } shifted
                && Fused.Maker(shifted.Inputs[0], "Mul") is { } scaled
                && Fused.Maker(rest.Inputs[1], "Mul")?.Inputs[0] == normal
                && scaled.Inputs[1] == scale && centring.Inputs[0] == x)
                return (node, scaled.Inputs[0]!);
        }

        return null;
    }
}

using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>The losses over classes, spelled in operators with float64 kernels.</summary>
internal static class DoubleLosses
{
    public static IReadOnlyList<Value> CrossEntropy(GraphBuilder g, Node node) =>
        [Loss(g, node, g.LogSoftmax(node.Inputs[0]!, 1))];

    public static IReadOnlyList<Value> LogLikelihood(GraphBuilder g, Node node) => [Loss(g, node, node.Inputs[0]!)];

    /// <summary>The kernel has no float64 form, but zeros and ones survive float32.</summary>
    public static IReadOnlyList<Value> OneHot(GraphBuilder g, Node node)
    {
        var values = g.Cast(node.Inputs[2]!, ElementType.Float);
        var single = g.Op("OneHot", [node.Inputs[0], node.Inputs[1], values], [.. node.Attributes]);
        return [g.Cast(single, ElementType.Double)];
    }

    private static Value Loss(GraphBuilder g, Node node, Value scores)
    {
        var labels = g.Cast(node.Inputs[1]!, ElementType.Int64);
        var zero = g.ScalarLike(scores, 0);
        var isIgnored = node.Attributes.TryGetValue("ignore_index", out var ignored)
            ? g.Op("Equal", labels, g.Int64Scalar(ignored.AsInt()))
            : g.Op("Less", labels, labels);
        var safe = g.Where(isIgnored, g.Int64Scalar(0), labels);
        var given = node.Input(2) is { } weights ? g.Gather(weights, safe) : g.ScalarLike(scores, 1);
        var weight = g.Where(isIgnored, zero, given);
        var picked = g.Op("GatherElements", [scores, g.Unsqueeze(safe, 1)], NodeAttribute.Of("axis", 1L));
        var losses = g.Neg(g.Mul(g.Squeeze(picked, 1), weight));
        return node.Attributes.String("reduction", "mean") switch
        {
            "none" => losses,
            "sum" => Sum(g, losses),
            _ => g.Div(Sum(g, losses), Sum(g, weight)),
        };
    }

    private static Value Sum(GraphBuilder g, Value value) => g.ReduceSum(value, [], keepDims: false);
}

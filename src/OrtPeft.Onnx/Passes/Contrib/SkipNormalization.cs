using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// The residual sum and its normalisation in one. Outputs: the result, mean and inverse deviation (of the layer form),
/// and the sum.
/// </summary>
internal static class SkipNormalization
{
    private const float DefaultEpsilon = 1e-12f;

    /// <summary>Inputs: x, skip, γ, β (optional), bias (optional).</summary>
    public static Value?[] Layer(Node node, GraphBuilder g)
    {
        var sum = Sum(node, g, node.Input(4));
        var statistics = node.Outputs.Take(3).Count(static o => o.Name.Length > 0) > 1;
        var epsilon = NodeAttribute.Of("epsilon", node.Attributes.Float("epsilon", DefaultEpsilon));
        var inputs = Inputs(sum, node.Inputs[2]!, node.Input(3));
        var results = g.Ops("LayerNormalization", statistics ? 3 : 1, inputs, [epsilon]);
        return statistics ? [results[0], results[1], results[2], sum] : [results[0], null, null, sum];
    }

    /// <summary>Inputs: x, skip, γ, bias (optional).</summary>
    public static Value?[] Simplified(Node node, GraphBuilder g)
    {
        var sum = Sum(node, g, node.Input(3));
        var epsilon = node.Attributes.Float("epsilon", DefaultEpsilon);
        var outputs = node.Outputs.Count > 2 && node.Outputs[2].Name.Length > 0 ? 2 : 1;
        var results = RootMeanSquare.Normalize(g, sum, node.Inputs[2]!, epsilon, axis: -1, outputs);
        return [results[0], null, results.ElementAtOrDefault(1), sum];
    }

    private static Value?[] Inputs(Value sum, Value gamma, Value? beta) =>
        beta is null ? [sum, gamma] : [sum, gamma, beta];

    /// <summary>The bias goes to x first: it is that of the layer which made x, and stands beside its
    /// product.</summary>
    private static Value Sum(Node node, GraphBuilder g, Value? bias)
    {
        var x = node.Inputs[0]!;
        return g.Add(bias is null ? x : g.Add(x, bias), node.Inputs[1]!);
    }
}

using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>The forms of GELU, as the standard operator of opset 20 where there is one.</summary>
internal static class Gelus
{
    /// <summary>x + bias, then the exact form.</summary>
    public static Value?[] OfBiased(Node node, GraphBuilder g) => [Exact(g, g.Add(node.Inputs[0]!, node.Inputs[1]!))];

    /// <summary>x·Φ(x).</summary>
    public static Value Exact(GraphBuilder g, Value x) => g.Op("Gelu", x);

    /// <summary>The tanh form, of the sum with an optional bias.</summary>
    public static Value Fast(Node node, GraphBuilder g)
    {
        var x = node.Inputs[0]!;
        var sum = node.Input(1) is { } bias ? g.Add(x, bias) : x;
        return g.Op("Gelu", [sum], NodeAttribute.Of("approximate", "tanh"));
    }

    /// <summary>x·σ(αx).</summary>
    public static Value Quick(Node node, GraphBuilder g)
    {
        var x = g.Term(node.Inputs[0]!);
        return x * Sigmoid(node.Attributes.Float("alpha", 1.702f) * x);
    }
}

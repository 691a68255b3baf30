using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Building;

/// <summary>Activation functions by HF's names.</summary>
internal static class Activations
{
    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Table = new(StringComparer.Ordinal)
    {
        ["gelu"] = static (g, x) => Gelu(g, x, "none"),
        ["gelu_new"] = static (g, x) => Gelu(g, x, "tanh"),
        ["gelu_pytorch_tanh"] = static (g, x) => Gelu(g, x, "tanh"),
        ["gelu_fast"] = static (g, x) => Gelu(g, x, "tanh"),
        ["quick_gelu"] = static (g, x) => g.Mul(x, g.Op("Sigmoid", g.Mul(x, g.Scalar(ElementType.Float, 1.702)))),
        ["relu"] = static (g, x) => g.Op("Relu", x),
        ["sigmoid"] = static (g, x) => g.Op("Sigmoid", x),
        ["silu"] = static (g, x) => g.Mul(x, g.Op("Sigmoid", x)),
        ["swish"] = static (g, x) => g.Mul(x, g.Op("Sigmoid", x)),
        ["tanh"] = static (g, x) => g.Op("Tanh", x),
    };

    public static IEnumerable<string> Names => Table.Keys.Order(StringComparer.Ordinal);

    public static Value Apply(GraphBuilder g, string name, Value x) => Table[name](g, x);

    /// <summary>Opset 20's operator; "tanh" is 0.5x(1 + tanh(√(2/π)(x + 0.044715x³))), "none" is exact.</summary>
    private static Value Gelu(GraphBuilder g, Value x, string approximate) =>
        g.Op("Gelu", [x], NodeAttribute.Of("approximate", approximate));
}

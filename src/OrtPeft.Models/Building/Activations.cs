using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Building;

/// <summary>Activation functions by HF's names; those with weights of their own are not among them.</summary>
/// <seealso href="https://github.com/huggingface/transformers/blob/main/src/transformers/activations.py"/>
internal static class Activations
{
    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Table = new(StringComparer.Ordinal)
    {
        ["gelu"] = static (g, x) => Gelu(g, x, "none"),
        ["gelu_10"] = static (g, x) => Clipped(g, Gelu(g, x, "none"), -10, 10),
        ["gelu_accurate"] = static (g, x) => Gelu(g, x, "tanh"),
        ["gelu_fast"] = static (g, x) => Gelu(g, x, "tanh"),
        ["gelu_new"] = static (g, x) => Gelu(g, x, "tanh"),
        ["gelu_python"] = static (g, x) => Gelu(g, x, "none"),
        ["gelu_python_tanh"] = static (g, x) => Gelu(g, x, "tanh"),
        ["gelu_pytorch_tanh"] = static (g, x) => Gelu(g, x, "tanh"),
        ["laplace"] = Laplace,
        ["leaky_relu"] = static (g, x) => g.Op("LeakyRelu", [x], NodeAttribute.Of("alpha", 0.01f)),
        ["linear"] = static (_, x) => x,
        ["mish"] = static (g, x) => g.Mul(x, g.Op("Tanh", g.Op("Softplus", x))),
        ["quick_gelu"] = static (g, x) => g.Mul(x, g.Op("Sigmoid", g.Mul(x, g.Scalar(ElementType.Float, 1.702)))),
        ["relu"] = static (g, x) => g.Op("Relu", x),
        ["relu2"] = static (g, x) => g.Pow(g.Op("Relu", x), 2),
        ["relu6"] = static (g, x) => Clipped(g, x, 0, 6),
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

    private static Value Clipped(GraphBuilder g, Value x, double low, double high) =>
        g.Op("Clip", x, g.Scalar(ElementType.Float, low), g.Scalar(ElementType.Float, high));

    /// <summary>(1 + erf((x − μ) / (σ√2))) / 2 with the μ and σ that make it near to a squared ReLU.</summary>
    /// <seealso href="https://arxiv.org/abs/2209.10655">Ma et al., Mega, equation 15.</seealso>
    private static Value Laplace(GraphBuilder g, Value x)
    {
        const double Mean = 0.707107;
        const double Deviation = 0.282095;
        var moved = g.Sub(x, g.Scalar(ElementType.Float, Mean));
        var scaled = g.Div(moved, g.Scalar(ElementType.Float, Deviation * Math.Sqrt(2)));
        return g.Mul(g.Add(g.Op("Erf", scaled), 1), 0.5);
    }
}

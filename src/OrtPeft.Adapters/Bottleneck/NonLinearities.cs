using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Bottleneck;

/// <summary>The functions between down and up, by the names that the adapters library takes from
/// transformers.</summary>
public static class NonLinearities
{
    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Rows = new(StringComparer.Ordinal)
    {
        ["relu"] = static (g, x) => g.Op("Relu", x),
        ["gelu"] = static (g, x) => g.Op("Gelu", x),
        ["gelu_new"] = static (g, x) => g.Op("Gelu", [x], NodeAttribute.Of("approximate", "tanh")),
        ["quick_gelu"] = static (g, x) => g.Mul(x, g.Op("Sigmoid", g.Mul(x, 1.702))),
        ["swish"] = static (g, x) => g.Mul(x, g.Op("Sigmoid", x)),
        ["silu"] = static (g, x) => g.Mul(x, g.Op("Sigmoid", x)),
        ["tanh"] = static (g, x) => g.Op("Tanh", x),
        ["sigmoid"] = static (g, x) => g.Op("Sigmoid", x),
        ["leakyrelu"] = static (g, x) => g.Op("LeakyRelu", [x], NodeAttribute.Of("alpha", 0.01f)),
        ["linear"] = static (_, x) => x,
    };

    /// <summary>All names, such as <c>relu</c>, <c>gelu</c> (with erf) and <c>gelu_new</c> (with tanh).</summary>
    public static IReadOnlyCollection<string> Names => Rows.Keys;

    /// <summary>Finds a function.</summary>
    /// <exception cref="ConfigException">There is none of that name; the message lists them.</exception>
    internal static Func<GraphBuilder, Value, Value> Named(string name) =>
        Rows.TryGetValue(name, out var function)
            ? function
            : throw new ConfigException(
                $"non_linearity is '{name}'; it must be one of {string.Join(", ", Rows.Keys)}.");
}

using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Adapters.Bottleneck;

/// <summary>The functions between down and up, by the names that the adapters library takes from
/// transformers.</summary>
internal static class NonLinearities
{
    private static readonly Dictionary<string, Func<Term, Term>> Rows = new(StringComparer.Ordinal)
    {
        ["relu"] = static x => Apply(x, "Relu"),
        ["gelu"] = static x => Apply(x, "Gelu"),
        ["gelu_new"] = static x => Apply(x, "Gelu", NodeAttribute.Of("approximate", "tanh")),
        ["quick_gelu"] = static x => x * Sigmoid(1.702 * x),
        ["swish"] = static x => x * Sigmoid(x),
        ["silu"] = static x => x * Sigmoid(x),
        ["tanh"] = Tanh,
        ["sigmoid"] = Sigmoid,
        ["leakyrelu"] = static x => Apply(x, "LeakyRelu", NodeAttribute.Of("alpha", 0.01f)),
        ["linear"] = static x => x,
    };

    /// <summary>All names, such as <c>relu</c>, <c>gelu</c> (with erf) and <c>gelu_new</c> (with tanh).</summary>
    public static IReadOnlyCollection<string> Names => Rows.Keys;

    /// <summary>Finds a function.</summary>
    /// <exception cref="ConfigException">There is none of that name; the message lists them.</exception>
    internal static Func<Term, Term> Named(string name) =>
        Rows.TryGetValue(name, out var function)
            ? function
            : throw new ConfigException(
                $"non_linearity is '{name}'; it must be one of {string.Join(", ", Rows.Keys)}.");

    private static Term Apply(Term x, string opType, params ReadOnlySpan<NodeAttribute> attributes) =>
        x.Builder.Term(x.Builder.Op(opType, [x], attributes));
}

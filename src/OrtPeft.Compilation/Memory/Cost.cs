using OrtPeft.Kernels;
using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Memory;

/// <summary>The cost of running a node a second time.</summary>
internal enum Cost
{
    /// <summary>Its result is its first input's memory.</summary>
    Nothing,

    /// <summary>It passes over its operands.</summary>
    Pass,

    /// <summary>It multiplies matrices, or may do so.</summary>
    Product,

    /// <summary>It would give something else.</summary>
    Impossible,
}

/// <summary>Tells nodes' costs.</summary>
internal static class Costs
{
    private static readonly HashSet<string> Views = ["Reshape", "Unsqueeze", "Squeeze", "Flatten", "Identity"];

    private static readonly HashSet<string> Passes =
        ["Transpose", "Slice", "Concat", "Split", "Expand", "LayerNormalization", "SimplifiedLayerNormalization"];

    private static readonly HashSet<string> Chances =
    [
        "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial", "Dropout",
    ];

    /// <summary>A node's cost.</summary>
    public static Cost Of(Node node) =>
        Chances.Contains(node.OpType) || node.Subgraphs.Any() ? Cost.Impossible
        : IsView(node) ? Cost.Nothing
        : FusedOps.Of(node)?.IsPass ?? (ElementwiseOps.Include(node) || IsOf(Passes, node)) ? Cost.Pass
        : Cost.Product;

    /// <summary>Whether a node's result is its first input's memory.</summary>
    public static bool IsView(Node node) => FusedOps.Of(node)?.IsView ?? IsOf(Views, node);

    /// <summary>Whether a value is the memory of its node's first input.</summary>
    public static bool IsView(Value value) =>
        value.Producer is { } node && value == node.Outputs[0] && IsView(node);

    private static bool IsOf(HashSet<string> names, Node node) => node.Domain.Length == 0 && names.Contains(node.OpType);
}

using OrtPeft.Onnx;

namespace OrtPeft.Autodiff.Rules;

/// <summary>
/// Operators through which no gradient flows: integer and boolean results, shapes, constants, steps. Where the loss is
/// computed from what they make of a trained number, other than by selecting, <see cref="DifferentiablePath.Cut"/>
/// refuses them.
/// </summary>
internal static class NotDifferentiable
{
    private static readonly string[] Operators =
    [
        "And", "ArgMax", "ArgMin", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "Ceil",
        "Constant", "ConstantOfShape", "Equal", "EyeLike", "Floor", "Greater", "GreaterOrEqual", "IsInf", "IsNaN",
        "Less", "LessOrEqual", "NonZero", "Not", "Or", "RandomUniformLike", "Shape", "Sign", "Size", "Xor",
    ];

    public static GradientRule Rule { get; } = static c => c.PadToInputs([]);

    /// <summary>Whether a node's operator is one of them.</summary>
    /// <param name="node">The node.</param>
    public static bool Is(Node node) => node.Domain.Length == 0 && Operators.Contains(node.OpType);

    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows =>
        Operators.Select(static op => (new OpKey("", op, 1), Rule));
}

namespace OrtPeft.Autodiff.Rules;

/// <summary>
/// Operators through which no gradient flows: integer and boolean results, shapes, constants, rounding.
/// </summary>
internal static class NotDifferentiable
{
    private static readonly string[] Operators =
    [
        "And", "ArgMax", "ArgMin", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "Ceil",
        "Constant", "ConstantOfShape", "Equal", "EyeLike", "Floor", "Greater", "GreaterOrEqual", "IsInf", "IsNaN",
        "Less", "LessOrEqual", "NonZero", "Not", "Or", "RandomUniformLike", "Round", "Shape", "Sign", "Size",
        "Xor",
    ];

    public static GradientRule Rule { get; } = static c => c.PadToInputs([]);

    public static IEnumerable<(OpKey Key, GradientRule Rule)> Rows =>
        Operators.Select(static op => (new OpKey("", op, 1), Rule));
}

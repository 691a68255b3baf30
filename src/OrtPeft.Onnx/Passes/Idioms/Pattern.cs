using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Idioms;

/// <summary>Small questions that idioms are recognised by.</summary>
internal static class Pattern
{
    private const double Tolerance = 1e-4;

    /// <summary>Whether two numbers are equal to float32 precision of the exporters' literals.</summary>
    public static bool IsNear(double found, double number) =>
        Math.Abs(found - number) <= Tolerance * Math.Abs(number);

    /// <summary>Whether a value is one constant number.</summary>
    public static bool IsNumber(Value? value, double number) => Number(value) is { } found && IsNear(found, number);

    /// <summary>A constant of one floating-point element, also after casts, or null.</summary>
    public static double? Number(Value? value)
    {
        while (value?.Producer is { } cast && cast.Is("Cast"))
            value = cast.Inputs[0];
        return value?.Constant is { Count: 1 } tensor && tensor.Type.IsFloating() ? tensor.ToFloat32()[0] : null;
    }

    /// <summary>
    /// The one node that reads a value, when it is of an operator and the value is not a result of the graph.
    /// </summary>
    public static Node? OnlyReader(Value value, string opType) =>
        value is { Uses: [var use], IsGraphOutput: false } && use.Node.Is(opType) ? use.Node : null;

    /// <summary>The operand of a two-input node beside the given one.</summary>
    public static Value? Other(Node node, Value operand) => node.Inputs[0] == operand ? node.Inputs[1] : node.Inputs[0];

    /// <summary>
    /// The value that a node of an operator, one operand a given number, was applied to; the number may come first.
    /// </summary>
    public static Value? AppliedTo(Value? value, string opType, double number, bool commutes = true)
    {
        if (value?.Producer is not { } node || !node.Is(opType))
            return null;
        if (IsNumber(node.Inputs[1], number))
            return node.Inputs[0];
        return commutes && IsNumber(node.Inputs[0], number) ? node.Inputs[1] : null;
    }

    /// <summary>d of d² or d·d.</summary>
    public static Value? Squared(Value? square)
    {
        if (square?.Producer is { } node && node.Is("Mul") && node.Inputs[0] == node.Inputs[1])
            return node.Inputs[0];
        return AppliedTo(square, "Pow", 2, commutes: false);
    }

    /// <summary>The value that is averaged over the last axis, which stays with length 1; null where none is.</summary>
    public static Value? MeanOver(Value? value)
    {
        if (value?.Producer is not { } mean || !mean.Is("ReduceMean") || mean.Attributes.Int("keepdims", 1) == 0)
            return null;
        var x = mean.Inputs[0]!;
        var isLast = mean.Input(1)?.Constant is { Type: ElementType.Int64 } axes && axes.ToInt64() is [var axis]
            && (axis == -1 || axis == x.Shape?.Rank - 1);
        return isLast ? x : null;
    }

    /// <summary>v and ε of v + ε.</summary>
    public static (Value Sum, double Epsilon)? PlusEpsilon(Value? value)
    {
        if (value?.Producer is not { } add || !add.Is("Add"))
            return null;
        if (Number(add.Inputs[1]) is { } right)
            return (add.Inputs[0]!, right);
        return Number(add.Inputs[0]) is { } left ? (add.Inputs[1]!, left) : null;
    }

    /// <summary>A value with one number per element of x's last axis.</summary>
    public static Value? Vector(Value? value, Value x) =>
        value?.Shape is { Rank: 1 } vector
        && vector[0].Value is { } length
        && x.Shape is { Rank: > 0 } shape
        && shape[shape.Rank - 1].Value == length
            ? value
            : null;
}

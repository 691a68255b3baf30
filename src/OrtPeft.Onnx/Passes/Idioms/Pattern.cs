namespace OrtPeft.Onnx.Passes.Idioms;

/// <summary>Small questions that idioms are recognised by.</summary>
internal static class Pattern
{
    private const double Tolerance = 1e-4;

    /// <summary>Whether a value is one constant number, to float32 precision of the exporters' literals.</summary>
    public static bool IsNumber(Value? value, double number) =>
        Number(value) is { } found && Math.Abs(found - number) <= Tolerance * Math.Abs(number);

    /// <summary>A constant of one floating-point element, or null.</summary>
    public static double? Number(Value? value) =>
        value?.Constant is { Count: 1 } tensor && tensor.Type.IsFloating() ? tensor.ToFloat32()[0] : null;

    /// <summary>
    /// The one node that reads a value, when it is of an operator and the value is no result of the graph.
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
}

using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>Single numbers that do not depend on what a graph is fed: exporters compute some of them where it runs,
/// such as <c>Sqrt(Cast(width of the heads))</c>.</summary>
internal static class ScalarConstant
{
    /// <summary>The longest chain of nodes that is followed.</summary>
    private const int MaxDepth = 16;

    /// <summary>The number that a value always is; null where it is not one floating-point number of at most one axis,
    /// or not known.</summary>
    /// <param name="value">The value.</param>
    /// <param name="shapes">What is known of the graph's integers.</param>
    public static double? Of(Value value, ShapeInference shapes) =>
        value.Type.IsFloating() && value.Shape is { Rank: <= 1 } ? Of(value, shapes, MaxDepth) : null;

    /// <summary>The only integer that a node's input always is; null where the input is missing, or not that.</summary>
    /// <param name="node">The node.</param>
    /// <param name="input">Which input, from 0.</param>
    /// <param name="shapes">What is known of the graph's integers.</param>
    public static long? Integer(Node node, int input, ShapeInference shapes) =>
        node.Input(input) is { } given && shapes.DataOf(given) is [{ } only] ? only.Constant : null;

    private static double? Of(Value value, ShapeInference shapes, int depth)
    {
        if (value.Constant is { } constant)
            return constant.Count == 1 ? Element(constant) : null;
        if (!value.Type.IsFloating())
            return shapes.DataOf(value) is [{ Constant: { } integer }] ? integer : null;
        if (depth == 0 || value.Producer is not { } node || !IsSingle(value))
            return null;
        if (node.Is("ConstantOfShape"))
            return node.Attributes.TryGetValue("value", out var fill) ? Element(fill.AsTensor()) : 0;
        if (node.Inputs is not [{ } first, ..] || Of(first, shapes, depth - 1) is not { } a)
            return null;
        if (IsCopy(node))
            return a;
        return node.Inputs.Count < 2
            ? Unary(node, a)
            : Of(node.Inputs[1]!, shapes, depth - 1) is { } b ? Binary(node, a, b) : null;
    }

    private static bool IsSingle(Value value) => value.Shape is { } shape && shape.All(static d => d.Value == 1);

    private static double? Element(Tensor number) => number.Type switch
    {
        ElementType.Double => number.Span<double>()[0],
        ElementType.Float or ElementType.Float16 or ElementType.BFloat16 => number.ToFloat32()[0],
        ElementType.Int64 or ElementType.Int32 => number.ToInt64()[0],
        _ => null,
    };

    private static bool IsCopy(Node node) =>
        node.Domain.Length == 0 && node.OpType is "Cast" or "Identity" or "Squeeze" or "Unsqueeze" or "Reshape";

    private static double? Unary(Node node, double a) => node.Domain.Length > 0 ? null : node.OpType switch
    {
        "Sqrt" => Math.Sqrt(a),
        "Reciprocal" => 1 / a,
        "Neg" => -a,
        _ => null,
    };

    private static double? Binary(Node node, double a, double b) => node.Domain.Length > 0 ? null : node.OpType switch
    {
        "Add" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        "Div" => a / b,
        "Pow" => Math.Pow(a, b),
        _ => null,
    };
}

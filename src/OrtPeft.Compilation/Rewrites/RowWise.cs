using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>Operators that make each row, along the last axis, from the rows of their operands at its place.</summary>
internal static class RowWise
{
    /// <summary>The inputs of a node that have a row for each row of its output; all others are the same for all
    /// rows.</summary>
    /// <param name="node">The node.</param>
    /// <returns>Their places; none where the node works in another way, or may do so.</returns>
    public static IReadOnlyList<int> Operands(Node node)
    {
        if (node.Domain.Length > 0 || node.Output.Shape is not { Rank: > 1 } shape
            || node.Outputs.Skip(1).Any(static o => o.Uses.Count > 0 || o.IsGraphOutput))
            return [];
        var operands = node.OpType switch
        {
            "MatMul" => OfProduct(node),
            "Gemm" => OfGemm(node, shape),
            "Reshape" => OfReshape(node, shape),
            "LayerNormalization" or "SimplifiedLayerNormalization" => OfNorm(node),
            _ when ElementwiseOps.Include(node) => OfElements(node, shape),
            _ => [],
        };
        return operands.All(i => Length(node.Inputs[i]!) > 0) ? operands : [];
    }

    /// <summary>The length of a value's rows, if it has rows and they are of a known length.</summary>
    public static long? Length(Value value) =>
        value.Shape is { Rank: > 1 } shape ? shape[shape.Rank - 1].Value : null;

    private static int[] OfProduct(Node node) => node.Inputs[1]!.Shape is { Rank: 2 } ? [0] : [];

    private static int[] OfGemm(Node node, Shape shape)
    {
        if (node.Attributes.Int("transA", 0) != 0)
            return [];
        if (node.Input(2) is null)
            return [0];
        return HasRows(node.Inputs[2]!, shape) switch
        {
            true => [0, 2],
            false => [0],
            null => [],
        };
    }

    private static int[] OfReshape(Node node, Shape shape) =>
        Length(node.Inputs[0]!) is { } length && length == shape[shape.Rank - 1].Value ? [0] : [];

    private static int[] OfNorm(Node node) =>
        NormForm.IsOfLastAxis(node) && node.Inputs.Skip(1).All(static i => i is null or { Shape.Rank: 1 }) ? [0] : [];

    private static int[] OfElements(Node node, Shape shape)
    {
        var hasRows = node.Inputs.Select(i => i is null ? false : HasRows(i, shape)).ToArray();
        return hasRows.Contains(null)
            ? []
            : [.. Enumerable.Range(0, hasRows.Length).Where(i => hasRows[i] == true)];
    }

    /// <summary>Whether an operand has a row for each of a result's; null where it is neither so nor the same for all
    /// rows.</summary>
    private static bool? HasRows(Value operand, Shape result)
    {
        if (operand.Shape is not { } shape)
            return null;
        if (shape.Rank == result.Rank && Leading(shape).SurelyEquals(Leading(result)))
            return true;
        return shape.Rank <= 2 && Leading(shape).All(static d => d.Value == 1) ? false : null;
    }

    private static Shape Leading(Shape shape) => [.. shape.Take(shape.Rank - 1)];
}

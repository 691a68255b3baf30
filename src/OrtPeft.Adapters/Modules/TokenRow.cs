using System.Collections.Immutable;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Computes what a graph makes of one token by picking rows of constants and dequantising them. Numbers of a token stand in
/// a row, whatever axes the graph has them on.
/// </summary>
internal static class TokenRow
{
    private static readonly string[] KeepNumbers = ["Reshape", "Squeeze", "Unsqueeze", "Cast", "Identity"];

    /// <summary>A value of one token.</summary>
    /// <param name="value">The value.</param>
    /// <param name="ids">The graph's input of tokens.</param>
    /// <param name="token">The token.</param>
    /// <returns>The numbers; null where it is computed of anything else.</returns>
    public static float[]? Of(Value value, Value ids, int token)
    {
        if (value.Constant is { } constant)
            return constant.Dims.Length <= 1 ? Numbers(constant) : null;
        if (value.Producer is not { Domain: "" } node)
            return null;
        if (KeepNumbers.Contains(node.OpType))
            return Of(node.Inputs[0]!, ids, token);
        return node.OpType switch
        {
            "Gather" => Picked(node, ids, token),
            "Slice" => Cut(node, Of(node.Inputs[0]!, ids, token)),
            "Add" => Both(node, ids, token, static (a, b) => a + b),
            "Sub" => Both(node, ids, token, static (a, b) => a - b),
            "Mul" => Both(node, ids, token, static (a, b) => a * b),
            "Div" => Both(node, ids, token, static (a, b) => a / b),
            "DequantizeLinear" => Dequantized(node, ids, token),
            _ => null,
        };
    }

    /// <summary>The nodes that a value of a token is computed by.</summary>
    public static IReadOnlySet<Node> NodesOf(Value value, Value ids)
    {
        var (nodes, open) = (new HashSet<Node>(), new Stack<Value>([value]));
        while (open.TryPop(out var next))
        {
            if (next == ids || next.Producer is not { } node || !nodes.Add(node))
                continue;
            foreach (var input in node.Inputs.OfType<Value>())
                open.Push(input);
        }

        return nodes;
    }

    /// <summary>The axes of a matrix that rows are picked of: a constant, turned or dequantised.</summary>
    public static ImmutableArray<long>? DimsOf(Value table)
    {
        if (Turned(table) is { } stored)
            return ConstantWeight.DimsOf(stored) is [var rows, var columns] ? [columns, rows] : null;
        return table.Constant?.Dims ?? ConstantWeight.DimsOf(table);
    }

    /// <summary>The matrix that a table is the transpose of; null where it is none.</summary>
    public static Value? Turned(Value table) =>
        table.Producer is { } turn && turn.Is("Transpose") && turn.Attributes.Ints("perm") is null or [1, 0]
            ? turn.Inputs[0]
            : null;

    private static float[]? Picked(Node gather, Value ids, int token)
    {
        var (table, indices) = (gather.Inputs[0]!, gather.Inputs[1]!);
        var axis = gather.Attributes.Int("axis", 0);
        if (axis == 0 && TokenLookUp.IsOrder(indices, ids))
            return DimsOf(table) is [var rows, _] && token < rows ? RowOf(table, token) : null;
        if (axis == 0 && table.Constant is { Dims.Length: 2 } codes)
        {
            var all = codes.ToFloat32().Chunk((int)codes.Dims[1]).ToArray();
            return Of(indices, ids, token)?.SelectMany(code => all[(int)code]).ToArray();
        }

        var isLast = table.Shape is { Rank: var rank } && (axis == -1 || axis == rank - 1);
        return isLast && indices.Constant is { Dims.Length: 1 } places && Of(table, ids, token) is { } numbers
            ? [.. places.ToInt64().Select(place => numbers[place])]
            : null;
    }

    private static float[]? RowOf(Value table, int token)
    {
        var (stored, isTurned) = Turned(table) is { } before ? (before, true) : (table, false);
        var content = ConstantWeight.ContentOf(stored);
        var (rows, columns) = ((int)content.Dims[0], (int)content.Dims[1]);
        if (content.Type.BitSize() % 8 != 0)
            return RowOfBits(content, token, isTurned);
        var size = content.Type.BitSize() / 8;
        var bytes = new byte[checked((isTurned ? rows : columns) * size)];
        if (isTurned)
        {
            for (var row = 0; row < rows; row++)
                content.Data.Read((((long)row * columns) + token) * size, bytes.AsSpan(row * size, size));
        }
        else
        {
            content.Data.Read((long)token * bytes.Length, bytes);
        }

        return Numbers(new Tensor(content.Type, [bytes.Length / size], new MemoryTensorData(bytes)));
    }

    /// <summary>A row, or a column of what is turned, of codes that share bytes.</summary>
    private static float[]? RowOfBits(Tensor codes, int token, bool isTurned)
    {
        if (codes.Type is not (ElementType.Int4 or ElementType.UInt4))
            return null;
        var (rows, columns) = ((int)codes.Dims[0], (int)codes.Dims[1]);
        var bytes = PackedIntegers.BytesOf(codes);
        var numbers = new float[isTurned ? rows : columns];
        for (var i = 0; i < numbers.Length; i++)
        {
            var index = isTurned ? (i * columns) + token : (token * columns) + i;
            numbers[i] = PackedIntegers.Get(bytes, codes.Type, index);
        }

        return numbers;
    }

    /// <summary>A tensor's elements as float32 numbers; null for types of neither numbers nor codes.</summary>
    private static float[]? Numbers(Tensor tensor)
    {
        if (tensor.Type.IsFloating())
            return tensor.ToFloat32();
        if (tensor.Type is ElementType.Int64 or ElementType.Int32)
            return [.. tensor.ToInt64().Select(static n => (float)n)];
        if (tensor.Type is not (ElementType.Int8 or ElementType.UInt8 or ElementType.Int4 or ElementType.UInt4))
            return null;
        var numbers = new float[tensor.Count];
        var bytes = PackedIntegers.BytesOf(tensor);
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = PackedIntegers.Get(bytes, tensor.Type, i);
        return numbers;
    }

    /// <summary>The first numbers of a row, as far as a <c>Slice</c> of the last axis takes them.</summary>
    private static float[]? Cut(Node slice, float[]? numbers) =>
        numbers is not null && slice.Input(1)?.Constant is { Count: 1 } start && start.ToInt64()[0] == 0
        && slice.Input(2)?.Constant is { Count: 1 } end && end.ToInt64()[0] is var count and > 0
        && slice.Input(3)?.Constant is { Count: 1 } axis && slice.Input(4) is null
        && (axis.ToInt64()[0] == -1 || axis.ToInt64()[0] == slice.Output.Shape?.Rank - 1)
            ? numbers[..(int)Math.Min(count, numbers.Length)]
            : null;

    private static float[]? Both(Node node, Value ids, int token, Func<float, float, float> operation)
    {
        return Of(node.Inputs[0]!, ids, token) is { } a && Of(node.Inputs[1]!, ids, token) is { } b
            ? Zip(a, b, operation)
            : null;
    }

    private static float[]? Dequantized(Node node, Value ids, int token)
    {
        if (node.Attributes.Int("block_size", 0) != 0
            || Of(node.Inputs[0]!, ids, token) is not { } numbers || Of(node.Inputs[1]!, ids, token) is not { } scale)
            return null;
        var isWhole = node.Inputs[1]!.Constant is { Count: 1 };
        var axis = node.Attributes.Int("axis", 1);
        if (!isWhole && axis != -1 && axis != node.Output.Shape?.Rank - 1)
            return null;
        if (node.Input(2) is { } zero)
        {
            if (Of(zero, ids, token) is not { } zeros || Zip(numbers, zeros, static (a, b) => a - b) is not { } moved)
                return null;
            numbers = moved;
        }

        return Zip(numbers, scale, static (a, b) => a * b);
    }

    /// <summary>Number by number; a single one goes with all.</summary>
    private static float[]? Zip(float[] a, float[] b, Func<float, float, float> operation)
    {
        if (a.Length != b.Length && a.Length != 1 && b.Length != 1)
            return null;
        var result = new float[Math.Max(a.Length, b.Length)];
        for (var i = 0; i < result.Length; i++)
            result[i] = operation(a[a.Length == 1 ? 0 : i], b[b.Length == 1 ? 0 : i]);
        return result;
    }
}

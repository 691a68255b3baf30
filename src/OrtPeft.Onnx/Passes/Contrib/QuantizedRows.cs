using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// <c>GatherBlockQuantized</c>: rows of a matrix in 2, 4 or 8 bits, picked and then dequantised, so that the matrix itself
/// is never in memory in float32. Inputs: the integers <c>[rows, columns]</c>, or their bytes, indices, scales
/// <c>[rows, blocks]</c>, zero points (optional).
/// </summary>
internal static class QuantizedRows
{
    public static Value Of(Node node, GraphBuilder g)
    {
        var (packed, indices, scales) = (node.Inputs[0]!, node.Inputs[1]!, node.Inputs[2]!);
        var size = node.Attributes.Int("block_size", 128);
        if (Constant(packed) is not { Dims.Length: 2 } data || BitsOf(node, data.Type) is not { } bits
            || node.Attributes.Int("gather_axis", 0) is not (0 or -2)
            || node.Attributes.Int("quantize_axis", 1) is not (1 or -1)
            || scales.Constant is not { Type: ElementType.Float, Dims.Length: 2 } || size < 1
            || indices.Shape is not { } picked)
            throw ContribOps.Refusal(node, "anything but rows of a constant matrix, in blocks along its columns");
        var rows = data.Dims[0];
        var columns = data.Type == ElementType.UInt8 ? data.Dims[1] * 8 / bits : data.Dims[1];
        var blocks = (columns + size - 1) / size;
        if (columns * bits % 8 != 0 || !scales.Constant.Dims.SequenceEqual([rows, blocks]))
            throw ContribOps.Refusal(node, $"rows that end within a byte, or scales {scales.Constant} for {data}");
        var isShifted = data.Type == ElementType.UInt8 && node.Input(3) is null;
        var values = Picked(Bytes(data, columns, bits), columns, isShifted ? 1 << (bits - 1) : 0);
        if (node.Input(3) is { } zero)
        {
            if (zero.Constant is not { } zeros || zeros.Type != data.Type || zeros.Dims.Length != 2
                || zeros.Dims[0] != rows || zeros.Dims[1] != (zeros.Type == ElementType.UInt8 ? ((blocks * bits) + 7) / 8 : blocks))
                throw ContribOps.Refusal(node, $"zero points {zero} for {data}");
            if (blocks * bits % 8 != 0 && zeros.Type != ElementType.UInt8)
                throw ContribOps.Refusal(node, "rows of zero points that end within a byte");
            values = g.Sub(values, Spread(Picked(Bytes(zeros, blocks, bits), blocks, 0)));
        }

        return g.Mul(values, Spread(g.Gather(scales, indices)));

        // The numbers of picked rows of integers, which are read from a table of all bytes.
        Value Picked(Tensor bytes, long count, int middle)
        {
            var held = g.Graph.AddInitializer(g.Graph.FreshName($"{packed.Name}/bytes"), bytes);
            var chosen = g.Cast(g.Gather(held, indices), ElementType.Int32);
            var table = g.Constant(Table(bits, data.Type == ElementType.Int4, middle));
            var numbers = g.Reshape(g.Gather(table, chosen), [.. Enumerable.Repeat(0L, picked.Rank), -1]);
            return bytes.Dims[1] * 8 / bits == count
                ? numbers
                : g.Op("Slice", numbers, g.Int64(0), g.Int64(count), g.Int64(picked.Rank));
        }

        // A number of each block, for each of its columns.
        Value Spread(Value ofBlocks) => blocks == columns
            ? ofBlocks
            : g.Gather(
                ofBlocks,
                g.Constant(Tensor.Vector<int>([.. Enumerable.Range(0, (int)columns).Select(c => c / (int)size)])),
                picked.Rank);
    }

    /// <summary>The integers, through the <c>Reshape</c> by which GenAI's builder shares them with a head.</summary>
    private static Tensor? Constant(Value packed)
    {
        if (packed.Constant is { } data)
            return data;
        if (packed.Producer is not { } reshape || !reshape.Is("Reshape")
            || reshape.Input(0)?.Constant is not { } source || reshape.Input(1)?.Constant is not { } dims)
            return null;
        var axes = dims.ToInt64();
        return axes.All(static n => n > 0) && axes.Aggregate((Int128)1, static (a, b) => a * b) == source.Count
            ? new Tensor(source.Type, [.. axes], source.Data)
            : null;
    }

    private static int? BitsOf(Node node, ElementType type) => (type, node.Attributes.Int("bits", 4)) switch
    {
        (ElementType.UInt8, 2 or 4 or 8) => (int)node.Attributes.Int("bits", 4),
        (ElementType.Int4 or ElementType.UInt4, 4) => 4,
        _ => null,
    };

    /// <summary>The same numbers as rows of bytes.</summary>
    private static Tensor Bytes(Tensor data, long count, int bits) => data.Type == ElementType.UInt8
        ? data
        : new Tensor(ElementType.UInt8, [data.Dims[0], count * bits / 8], data.Data);

    /// <summary>The numbers in each byte, the first in its lowest bits: <c>[256, numbers of a byte]</c>.</summary>
    private static Tensor Table(int bits, bool isSigned, int middle)
    {
        var each = 8 / bits;
        var numbers = new float[256 * each];
        for (var i = 0; i < numbers.Length; i++)
        {
            var value = (i / each >> (i % each * bits)) & ((1 << bits) - 1);
            numbers[i] = (isSigned && value >> (bits - 1) != 0 ? value - (1 << bits) : value) - middle;
        }

        return Tensor.Of<float>(numbers, [256, each]);
    }
}

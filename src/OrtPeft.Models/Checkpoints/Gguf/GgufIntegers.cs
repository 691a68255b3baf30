using System.Buffers.Binary;
using OrtPeft.Models.Checkpoints.Packing;
using OrtPeft.Onnx.Quantization;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>
/// Matrices whose blocks are integers times a scale, as graphs have them: Q4_0 in 4 bits, Q5_0, Q8_0 and Q6_K in 8.
/// Blocks with an offset of their own have no whole zero point.
/// </summary>
internal static class GgufIntegers
{
    private const int SmallBlock = 32;
    private const int SmallestBlock = 16;

    /// <summary>A matrix' integers; null where its type has none.</summary>
    /// <param name="tensor">The matrix.</param>
    /// <param name="rows">Which of its rows stands in a place; null where they are in order.</param>
    public static QuantizedTensor? Of(GgufTensor tensor, Func<int, int>? rows)
    {
        var type = tensor.Type;
        var size = type == GgmlType.Q6K ? SmallestBlock : SmallBlock;
        if (type != GgmlType.Q40 && type != GgmlType.Q50 && type != GgmlType.Q80 && type != GgmlType.Q6K)
            return null;
        var (outputs, inputs) = (checked((int)tensor.Dims[0]), checked((int)tensor.Dims[1]));
        var grouped = new GroupedIntegers(outputs, inputs, size, type == GgmlType.Q40 ? 4 : 8);
        var bytes = new byte[inputs / type.BlockLength * type.BlockBytes];
        for (var o = 0; o < outputs; o++)
        {
            tensor.Bytes.Read((long)(rows?.Invoke(o) ?? o) * bytes.Length, bytes);
            for (var i = 0; i < inputs; i++)
            {
                var block = bytes.AsSpan(i / type.BlockLength * type.BlockBytes, type.BlockBytes);
                var within = i % type.BlockLength;
                var (code, scale, zero) = At(type, block, within);
                grouped.SetValue(o, i, code);
                if (i % size == 0)
                    grouped.SetGroup(o, i / size, scale, zero);
            }
        }

        return grouped.ToTensor();
    }

    private static (int Code, float Scale, int Zero) At(GgmlType type, ReadOnlySpan<byte> block, int i)
    {
        const int Half = 16;
        if (type == GgmlType.Q40)
            return ((block[2 + (i % Half)] >> (i / Half * 4)) & 0xF, GgmlBlocks.Scale(block), 8);
        if (type == GgmlType.Q50)
            return (GgmlBlocks.Five(block[6..], BinaryPrimitives.ReadUInt32LittleEndian(block[2..]), i), GgmlBlocks.Scale(block), 16);
        return type == GgmlType.Q80
            ? ((sbyte)block[2 + i] + 128, GgmlBlocks.Scale(block), 128)
            : (GgmlBlocks.Q6KCode(block, i), GgmlBlocks.Q6KScale(block, i / SmallestBlock), 32);
    }
}

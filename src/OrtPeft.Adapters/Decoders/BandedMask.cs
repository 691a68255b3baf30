using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// A mask whose rows are queries and whose columns are keys, counted from the first, with a window in it: a constant, as
/// models with a buffer of their longest row have it, or cut to a triangle.
/// </summary>
internal static class BandedMask
{
    /// <summary>The window of a triangle that begins or ends below the diagonal, or null.</summary>
    /// <remarks>https://onnx.ai/onnx/operators/onnx__Trilu.html, opset 14: an upper one keeps what is at or right of diagonal k,
    /// keys that are seen; a lower one what is at or left of it, keys that are hidden.</remarks>
    public static AttentionWindow? Window(Node node)
    {
        if (!node.Is("Trilu") || node.Input(1)?.Constant is not { Count: 1 } diagonal || diagonal.ToInt64()[0] is not (var k and < 0))
            return null;
        return Sized(node.Attributes.Int("upper", 1) == 1 ? 1 - k : -k);
    }

    /// <summary>
    /// The window of a square whose last row changes once and whose lower triangle says the same on each diagonal, or null.
    /// </summary>
    public static AttentionWindow? Window(Tensor mask)
    {
        if (mask.Dims is not [.. var outer, var rows, var columns] || rows != columns || rows < 2 || outer.Any(static d => d != 1)
            || mask.Type.BitSize() % 8 != 0)
            return null;
        var (side, width) = ((int)rows, mask.Type.BitSize() / 8);
        var bytes = mask.Data.Slice(0, checked((int)mask.Data.Length));
        var last = bytes[^(side * width)..];
        var first = 1;
        while (first < side && Element(last, first).SequenceEqual(Element(last, 0)))
            first++;
        if (first == side)
            return null;
        for (var row = 0; row < side; row++)
        {
            var content = bytes.Slice(row * side * width, (row + 1) * width);
            for (var column = 0; column <= row; column++)
            {
                if (!Element(content, column).SequenceEqual(Element(last, row - column < side - first ? side - 1 : 0)))
                    return null;
            }
        }

        return Sized(side - first);

        ReadOnlySpan<byte> Element(ReadOnlySpan<byte> row, int column) => row.Slice(column * width, width);
    }

    private static AttentionWindow? Sized(long size) => size > 1 ? new AttentionWindow(null, size, 0) : null;
}

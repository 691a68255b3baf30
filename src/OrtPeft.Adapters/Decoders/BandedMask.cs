using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// A mask whose rows are queries and whose columns are keys, counted from the first, with a window in it: a constant, as
/// models with a buffer of their longest row have it, or cut to a triangle.
/// </summary>
internal static class BandedMask
{
    /// <summary>The bound of a triangle, or null for another node.</summary>
    /// <remarks>https://onnx.ai/onnx/operators/onnx__Trilu.html, opset 14: an upper one keeps what is at or right of diagonal k,
    /// a lower one what is at or left of it.</remarks>
    public static MaskBound? Bound(Node node, PlaceCounts places)
    {
        if (!node.Is("Trilu"))
            return null;
        var diagonal = node.Input(1) is { } given
            ? places.Number(given) ?? throw MaskBound.Unknown(node)
            : SymbolicInteger.Of(0);
        return new MaskBound(diagonal - SymbolicInteger.Of(node.Attributes.Int("upper", 1)), null, 0);
    }

    /// <summary>
    /// The window of a square whose lower triangle says the same on each diagonal and changes once, or null where it does not
    /// change.
    /// </summary>
    /// <exception cref="ConfigException">It changes otherwise.</exception>
    public static AttentionWindow? Window(Value value, Tensor mask)
    {
        if (mask.Dims is not [.., > 1 and var rows, > 1 and var columns] || mask.Type.BitSize() % 8 != 0)
            return null;
        var (side, width) = ((int)rows, mask.Type.BitSize() / 8);
        var bytes = mask.Data.Slice(0, checked((int)mask.Data.Length));
        if (bytes[width..].SequenceEqual(bytes[..^width]))
            return null;
        var size = checked((int)(rows * columns * width));
        if (rows != columns || !bytes[size..].SequenceEqual(bytes[..^size]))
            throw Unknown(value);
        var last = bytes[^(side * width)..];
        var first = 1;
        while (first < side && Element(last, first).SequenceEqual(Element(last, 0)))
            first++;
        for (var row = 0; row < side; row++)
        {
            var content = bytes.Slice(row * side * width, (row + 1) * width);
            for (var column = 0; column <= row; column++)
            {
                if (!Element(content, column).SequenceEqual(Element(last, row - column < side - first ? side - 1 : 0)))
                    throw Unknown(value);
            }
        }

        return side - first > 1 ? new AttentionWindow(null, side - first, 0) : null;

        ReadOnlySpan<byte> Element(ReadOnlySpan<byte> row, int column) => row.Slice(column * width, width);
    }

    private static ConfigException Unknown(Value constant) => new(
        $"The attention's mask holds the constant {constant}, which says of places neither that later ones are hidden nor that "
        + "a window is seen, so that it cannot be told which queries see a prefix; choose prompt-tuning.");
}

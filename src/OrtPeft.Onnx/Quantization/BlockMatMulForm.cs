using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Quantization;

/// <summary>The lengths of a <c>MatMulNBits</c>, and how its side inputs are to be read.</summary>
/// <param name="Bits">Bits of an element: 2, 4 or 8.</param>
/// <param name="Size">Elements of a block along K.</param>
/// <param name="Rows">N.</param>
/// <param name="Columns">K.</param>
internal sealed record BlockMatMulForm(int Bits, int Size, int Rows, int Columns)
{
    private int Blocks => BlocksOf(Columns, Size);

    /// <summary>A row's packed zero points fill whole bytes.</summary>
    private long ZeroPointBytes => (((long)Blocks * Bits) + 7) / 8;

    /// <summary>Reads a node; null where an input is not constant or does not fit the others, and where packed zero points
    /// stand beside groups, which ONNX Runtime does not read as it documents.</summary>
    public static BlockMatMulForm? Of(Node node)
    {
        var form = new BlockMatMulForm(
            Small(node, "bits", 4), Small(node, "block_size", 0), Small(node, "N", 0), Small(node, "K", 0));
        var (packed, scales) = (node.Input(1)?.Constant, node.Input(2)?.Constant);
        var isWhole = form is { Bits: 2 or 4 or 8, Size: > 0, Rows: >= 0, Columns: >= 0 }
            && packed is { Type: ElementType.UInt8 } && scales?.Type.IsFloating() == true
            && packed.Count * 8 == (Int128)form.Rows * form.Blocks * form.Size * form.Bits
            && scales.Count == (long)form.Rows * form.Blocks
            && (Int128)form.Rows * form.Columns <= Array.MaxLength
            && (node.Input(4) is null || node.Input(3)?.Constant?.Type != ElementType.UInt8)
            && Fits(node.Input(3), form.AreZeroPoints) && Fits(node.Input(4), form.AreGroups);
        return isWhole ? form : null;
    }

    /// <summary>How many blocks a row takes; the last one may have a part.</summary>
    public static int BlocksOf(int columns, int size) => (int)((columns + (long)size - 1) / size);

    /// <summary>An element of a run of bytes, the first in the lowest bits.</summary>
    public static int CodeAt(ReadOnlySpan<byte> bytes, int bits, long index) =>
        (bytes[checked((int)(index * bits / 8))] >> (int)(index * bits % 8)) & ((1 << bits) - 1);

    /// <summary>Numbers [N, blocks]; none where there are no zero points.</summary>
    public float[] ZeroPoints(Tensor? content)
    {
        if (content is null)
            return [];
        if (content.Type != ElementType.UInt8)
            return content.Type == ElementType.Float ? content.ToFloat32() : [.. content.ToInt64().Select(static z => (float)z)];
        var bytes = PackedIntegers.BytesOf(content);
        var numbers = new float[Rows * Blocks];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = CodeAt(bytes, Bits, (i / Blocks * ZeroPointBytes * 8 / Bits) + (i % Blocks));
        return numbers;
    }

    /// <summary>Each element's block along K; null where those are as they lie.</summary>
    public int[]? Groups(Tensor? content)
    {
        if (content is null)
            return null;
        int[] groups = [.. content.ToInt64().Take(Columns).Select(static g => (int)g)];
        return groups.Index().All(g => g.Item == g.Index / Size) ? null : groups;
    }

    private static bool Fits(Value? input, Func<Tensor, bool> check) =>
        input is null || (input.Constant is { } content && check(content));

    private bool AreZeroPoints(Tensor content) => content.Type switch
    {
        ElementType.UInt8 => content.Count == Rows * ZeroPointBytes,
        ElementType.Float or ElementType.Int32 => content.Count == (long)Rows * Blocks,
        _ => false,
    };

    /// <summary>One for each element, perhaps filled up to whole blocks.</summary>
    private bool AreGroups(Tensor content) => content.Type == ElementType.Int32
        && (content.Count == Columns || content.Count == (long)Blocks * Size)
        && content.ToInt64().All(g => g >= 0 && g < Blocks);

    /// <summary>An attribute that no product of two overflows 63 bits by; −1 for others.</summary>
    private static int Small(Node node, string attribute, long otherwise) =>
        node.Attributes.Int(attribute, otherwise) is >= 0 and <= int.MaxValue and var value ? (int)value : -1;
}

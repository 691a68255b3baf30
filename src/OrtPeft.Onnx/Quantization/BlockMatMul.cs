using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Quantization;

/// <summary>
/// A <c>MatMulNBits</c> with a constant weight: y = x·Wᵀ (+ bias), W [N, K] in blocks along K, each a run of bytes with
/// the first element in the lowest bits.
/// </summary>
internal sealed class BlockMatMul
{
    private readonly int _bits;
    private readonly int _size;
    private readonly int _rows;
    private readonly int _columns;
    private readonly Tensor _scales;
    private readonly Tensor? _zeroPoints;

    private BlockMatMul(Node node, Tensor scales, Tensor? zeroPoints)
    {
        (Packed, _scales, _zeroPoints) = (node.Inputs[1]!, scales, zeroPoints);
        _bits = Small(node, "bits", 4);
        _size = Small(node, "block_size", 0);
        _rows = Small(node, "N", 0);
        _columns = Small(node, "K", 0);
    }

    /// <summary>The weight's bytes, [N, blocks, bytes per block].</summary>
    public Value Packed { get; }

    private int Blocks => (int)((_columns + (long)_size - 1) / _size);

    /// <summary>Reads a node; null where it has another form.</summary>
    public static BlockMatMul? Of(Node node)
    {
        var (packed, scales, zeroPoints) = (node.Input(1)?.Constant, node.Input(2)?.Constant, node.Input(3)?.Constant);
        if (packed is not { Type: ElementType.UInt8 } || scales is not { Type: ElementType.Float })
            return null;
        if (node.Input(4) is not null || (node.Input(3) is not null && zeroPoints is not { Type: ElementType.UInt8 }))
            return null;
        var product = new BlockMatMul(node, scales, zeroPoints);
        var isWhole = product._bits is 4 or 8 && product is { _size: > 0, _rows: >= 0, _columns: >= 0 }
            && packed.Count == (Int128)product._rows * product.Blocks * product._size * product._bits / 8
            && scales.Count == (long)product._rows * product.Blocks
            && (zeroPoints is null || zeroPoints.Count == (long)product._rows * product.ZeroPointBytes);
        return isWhole ? product : null;
    }

    /// <summary>A row's zero points fill whole bytes.</summary>
    private int ZeroPointBytes => (int)((((long)Blocks * _bits) + 7) / 8);

    /// <summary>
    /// The weight as [K, N]. Without zero points a block's middle is 2ᵇ⁻¹, which signed integers make 0.
    /// </summary>
    public QuantizedTensor Unpack()
    {
        var unsigned = _bits == 4 ? ElementType.UInt4 : ElementType.UInt8;
        var signed = _bits == 4 ? ElementType.Int4 : ElementType.Int8;
        var (type, middle) = _zeroPoints is null ? (signed, 1 << (_bits - 1)) : (unsigned, 0);
        var values = Turned(Packed.Constant!, unsigned, checked(Blocks * _size), _columns, type, middle);
        var zeros = _zeroPoints is null
            ? null
            : Turned(_zeroPoints, unsigned, ZeroPointBytes * 8 / _bits, Blocks, unsigned, 0);
        var scales = _scales.ToFloat32();
        var turned = new float[scales.Length];
        for (var i = 0; i < turned.Length; i++)
            turned[i] = scales[(i % _rows * Blocks) + (i / _rows)];
        return new QuantizedTensor(values, Tensor.Of<float>(turned, [Blocks, _rows]), zeros, RelativeError: 0)
        {
            Axis = 0,
            BlockSize = _size,
        };
    }

    /// <summary>An attribute that no product of two overflows 63 bits by; −1 for others.</summary>
    private static int Small(Node node, string attribute, long otherwise) =>
        node.Attributes.Int(attribute, otherwise) is >= 0 and <= int.MaxValue and var value ? (int)value : -1;

    /// <summary>Rows of packed integers, of which the first ones count, as columns.</summary>
    private Tensor Turned(Tensor packed, ElementType from, int stride, int count, ElementType type, int middle)
    {
        var source = PackedIntegers.BytesOf(packed);
        var result = new byte[type.ByteCount((long)count * _rows)];
        for (var column = 0; column < count; column++)
        {
            for (var row = 0; row < _rows; row++)
            {
                var value = PackedIntegers.Get(source, from, checked((row * stride) + column)) - middle;
                PackedIntegers.Set(result, type, ((long)column * _rows) + row, value);
            }
        }

        return new Tensor(type, [count, _rows], new MemoryTensorData(result));
    }
}

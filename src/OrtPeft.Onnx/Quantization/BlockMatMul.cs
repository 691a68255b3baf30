using System.Runtime.InteropServices;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Quantization;

/// <summary>
/// A <c>MatMulNBits</c> with a constant weight: y = x·Wᵀ (+ bias), W [N, K] in blocks along K, each a run of bytes with
/// the first element in the lowest bits. Elements may be of other blocks than those that they lie in (<c>g_idx</c>), and
/// zero points may be numbers of any kind.
/// </summary>
internal sealed class BlockMatMul
{
    private readonly int _bits;
    private readonly int _size;
    private readonly int _rows;
    private readonly int _columns;
    private readonly float[] _scales;
    private readonly float[] _zeroPoints;

    /// <summary>Each element's block along K; null where those are as they lie.</summary>
    private readonly int[]? _groups;

    private BlockMatMul(Node node, BlockMatMulForm form)
    {
        (_bits, _size, _rows, _columns) = (form.Bits, form.Size, form.Rows, form.Columns);
        Packed = node.Inputs[1]!;
        _scales = node.Inputs[2]!.Constant!.ToFloat32();
        _zeroPoints = form.ZeroPoints(node.Input(3)?.Constant);
        _groups = form.Groups(node.Input(4)?.Constant);
    }

    /// <summary>The weight's bytes, [N, blocks, bytes per block].</summary>
    public Value Packed { get; }

    private int Blocks => BlockMatMulForm.BlocksOf(_columns, _size);

    /// <summary>Bits of an element: 2, 4 or 8.</summary>
    public int Bits => _bits;

    /// <summary>Reads a node; null where it has another form.</summary>
    public static BlockMatMul? Of(Node node) =>
        BlockMatMulForm.Of(node) is { } form ? new BlockMatMul(node, form) : null;

    /// <summary>
    /// The weight [K, N] as integers; null where they do not say it. Without zero points a block's middle is 2ᵇ⁻¹, which
    /// signed integers make 0. Integers of 2 bits are stored in 4.
    /// </summary>
    public QuantizedTensor? Integers()
    {
        var unsigned = _bits == 8 ? ElementType.UInt8 : ElementType.UInt4;
        var most = _bits == 8 ? byte.MaxValue : 15;
        if (_groups is not null || _zeroPoints.Any(z => z != MathF.Floor(z) || z < 0 || z > most))
            return null;
        var (type, middle) = _zeroPoints.Length > 0 ? (unsigned, 0)
            : (_bits == 8 ? ElementType.Int8 : ElementType.Int4, 1 << (_bits - 1));
        var values = new byte[type.ByteCount((long)_columns * _rows)];
        var packed = PackedIntegers.BytesOf(Packed.Constant!);
        for (var k = 0; k < _columns; k++)
        {
            for (var n = 0; n < _rows; n++)
                PackedIntegers.Set(values, type, ((long)k * _rows) + n, CodeAt(packed, n, k) - middle);
        }

        long[] dims = [Blocks, _rows];
        var zeros = _zeroPoints.Length == 0 ? null : new byte[type.ByteCount(_zeroPoints.Length)];
        for (var i = 0; i < _zeroPoints.Length; i++)
            PackedIntegers.Set(zeros!, type, i, (int)Turned(_zeroPoints, i));
        return new QuantizedTensor(
            new Tensor(type, [_columns, _rows], Derived(values)),
            Tensor.Of<float>([.. Enumerable.Range(0, _scales.Length).Select(i => Turned(_scales, i))], dims),
            zeros is null ? null : new Tensor(type, [.. dims], new MemoryTensorData(zeros)),
            RelativeError: 0)
        {
            Axis = 0,
            BlockSize = _size,
        };
    }

    /// <summary>Integers in the node's layout: the reverse of <see cref="Integers"/>.</summary>
    /// <param name="integers">What <see cref="Integers"/> gave, with other values.</param>
    /// <returns>The bytes, the scales [N, blocks] as float32, and packed zero points where there are some.</returns>
    public (byte[] Packed, float[] Scales, byte[]? ZeroPoints) Pack(QuantizedTensor integers)
    {
        ArgumentNullException.ThrowIfNull(integers);
        var packed = PackedIntegers.BytesOf(Packed.Constant!).ToArray();
        var values = PackedIntegers.BytesOf(integers.Values);
        var middle = _zeroPoints.Length > 0 ? 0 : 1 << (_bits - 1);
        for (var k = 0; k < _columns; k++)
        {
            for (var n = 0; n < _rows; n++)
            {
                var code = PackedIntegers.Get(values, integers.Values.Type, (k * _rows) + n) + middle;
                SetCode(packed, ((long)n * Blocks * _size) + k, code);
            }
        }

        var turned = integers.Scales.ToFloat32();
        var scales = new float[turned.Length];
        var zeros = _zeroPoints.Length == 0 ? null : new byte[_rows * (((Blocks * _bits) + 7) / 8)];
        var numbers = integers.ZeroPointsToFloat32();
        for (var place = 0; place < turned.Length; place++)
        {
            var (n, block) = (place % _rows, place / _rows);
            scales[(n * Blocks) + block] = turned[place];
            if (zeros is not null)
                SetCode(zeros, ((long)n * zeros.Length / _rows * 8 / _bits) + block, (int)numbers[place]);
        }

        return (packed, scales, zeros);
    }

    private void SetCode(byte[] bytes, long index, int code)
    {
        var (at, shift) = (checked((int)(index * _bits / 8)), (int)(index * _bits % 8));
        var mask = (1 << _bits) - 1;
        bytes[at] = (byte)((bytes[at] & ~(mask << shift)) | ((code & mask) << shift));
    }

    /// <summary>The weight's numbers, [K, N].</summary>
    public Tensor ToFloat32()
    {
        var numbers = new float[checked(_columns * _rows)];
        var packed = PackedIntegers.BytesOf(Packed.Constant!);
        for (var k = 0; k < _columns; k++)
        {
            var group = _groups?[k] ?? k / _size;
            for (var n = 0; n < _rows; n++)
            {
                var block = (n * Blocks) + group;
                var zero = _zeroPoints.Length == 0 ? 1 << (_bits - 1) : _zeroPoints[block];
                numbers[(k * _rows) + n] = _scales[block] * (CodeAt(packed, n, k) - zero);
            }
        }

        return new Tensor(ElementType.Float, [_columns, _rows], Derived(MemoryMarshal.AsBytes<float>(numbers).ToArray()));
    }

    /// <summary>Bytes that remember that they were made of the packed ones.</summary>
    private DerivedTensorData Derived(byte[] bytes) =>
        new(new MemoryTensorData(bytes), new TensorOrigin(Packed.Constant!));

    private int CodeAt(ReadOnlySpan<byte> packed, int n, int k) =>
        BlockMatMulForm.CodeAt(packed, _bits, ((long)n * Blocks * _size) + k);

    /// <summary>One of [N, blocks] by its place in [blocks, N].</summary>
    private float Turned(float[] numbers, int place) => numbers[(place % _rows * Blocks) + (place / _rows)];
}

using System.Collections.Immutable;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Quantization;

/// <summary>
/// A matrix as integers with a <c>DequantizeLinear</c> of constants, by blocks, by rows or columns, or as a whole.
/// </summary>
internal sealed class IntegerWeight : QuantizedWeight
{
    private readonly Tensor _values;
    private readonly Tensor _scales;
    private readonly Tensor? _zeroPoints;

    private IntegerWeight(Node node, Tensor values, Tensor scales, Tensor? zeroPoints)
        : base(node)
    {
        (_values, _scales, _zeroPoints) = (values, scales, zeroPoints);
    }

    public override ImmutableArray<long> Dims => _values.Dims;

    /// <inheritdoc/>
    /// <remarks>A scale of the whole matrix is that of each column.</remarks>
    public override QuantizedTensor Content => IsOneBlock
        ? Described(Repeated(_scales)!, Repeated(_zeroPoints), axis: 0, Dims[0])
        : Size > 0 ? Described(_scales, _zeroPoints, (int)Axis, Size)
        : Described(_scales, _zeroPoints, 1 - (int)Axis, Dims[1 - (int)Axis]);

    public override long ByteCount => _values.Data.Length + _scales.Data.Length + (_zeroPoints?.Data.Length ?? 0);

    public static IntegerWeight? Of(Node node)
    {
        if (!node.Is("DequantizeLinear"))
            return null;
        var (values, scales, zeroPoints) = (node.Input(0)?.Constant, node.Input(1)?.Constant, node.Input(2)?.Constant);
        var isKnown = values is { Dims.Length: 2 } && PackedIntegers.IsPacked(values.Type)
            && scales is { Type: ElementType.Float, Dims.Length: <= 2 }
            && (node.Input(2) is null || zeroPoints is not null);
        var weight = isKnown ? new IntegerWeight(node, values!, scales!, zeroPoints) : null;
        return weight?.IsWhole == true ? weight : null;
    }

    /// <summary>Whether there is a scale, and if any a zero point, for each block.</summary>
    private bool IsWhole
    {
        get
        {
            if (Dims[0] * (Int128)Dims[1] > Array.MaxLength || Axis is not (0 or 1) || Size is < 0 or > int.MaxValue)
                return false;
            var blocks = IsOneBlock ? 1 : BlocksOf((int)Dims[0], (int)Dims[1]).Count;
            return _scales.Count == blocks && (_zeroPoints is null
                || (_zeroPoints.Count == blocks && _zeroPoints.Type == _values.Type));
        }
    }

    private bool IsOneBlock => _scales.Count == 1;

    private long Axis => Node.Attributes.Int("axis", 1) is < 0 and var axis ? axis + 2 : Node.Attributes.Int("axis", 1);

    private long Size => Node.Attributes.Int("block_size", 0);

    public static Value Add(GraphBuilder g, string name, QuantizedTensor content)
    {
        var inputs = new List<Value?> { Part(g, $"{name}_quantized", content.Values) };
        inputs.Add(Part(g, $"{name}_scales", content.Scales));
        if (content.ZeroPoints is { } zeroPoints)
            inputs.Add(Part(g, $"{name}_zero_points", zeroPoints));
        return g.Op(
            "DequantizeLinear",
            [.. inputs],
            NodeAttribute.Of("axis", (long)content.Axis),
            NodeAttribute.Of("block_size", (long)content.BlockSize));
    }

    public override Value Again(GraphBuilder g, Value one)
    {
        Value?[] inputs = [.. Node.Inputs];
        inputs[1] = g.Mul(inputs[1]!, one);
        return g.Op("DequantizeLinear", inputs, [.. Node.Attributes]);
    }

    /// <summary>One scale per row or column is a block as long as the other axis.</summary>
    private Blocks BlocksOf(int rows, int columns)
    {
        var (axis, size) = ((int)Axis, (int)Size);
        return size > 0
            ? new Blocks(rows, columns, axis, size)
            : new Blocks(rows, columns, 1 - axis, Math.Max(1, axis == 0 ? columns : rows));
    }

    private QuantizedTensor Described(Tensor scales, Tensor? zeroPoints, int axis, long size) =>
        new(_values, scales, zeroPoints, RelativeError: 0) { Axis = axis, BlockSize = (int)Math.Max(1, size) };

    /// <summary>One number for each column.</summary>
    private Tensor? Repeated(Tensor? one)
    {
        if (one is null)
            return null;
        var columns = checked((int)Dims[1]);
        if (one.Type is ElementType.Float)
            return Tensor.Of<float>(Enumerable.Repeat(one.ToFloat32()[0], columns).ToArray(), [1, columns]);
        var bytes = new byte[one.Type.ByteCount(columns)];
        var value = PackedIntegers.Get(PackedIntegers.BytesOf(one), one.Type, 0);
        for (var column = 0; column < columns; column++)
            PackedIntegers.Set(bytes, one.Type, column, value);
        return new Tensor(one.Type, [1, columns], new MemoryTensorData(bytes));
    }
}

using System.Collections.Immutable;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Quantization;

/// <summary>
/// A matrix as integers behind a <c>DequantizeLinear</c> of constants, by blocks, by rows or columns, or as a whole.
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
            var blocks = _scales.Count == 1 ? 1 : BlocksOf((int)Dims[0], (int)Dims[1]).Count;
            return _scales.Count == blocks && (_zeroPoints is null
                || (_zeroPoints.Count == blocks && PackedIntegers.IsPacked(_zeroPoints.Type)));
        }
    }

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

    /// <inheritdoc/>
    /// <remarks>(q − z)·s in float32.</remarks>
    public override Tensor ToFloat32()
    {
        var (rows, columns) = (checked((int)Dims[0]), checked((int)Dims[1]));
        var scales = _scales.ToFloat32();
        var values = PackedIntegers.BytesOf(_values);
        var zeroPoints = _zeroPoints is null ? [] : PackedIntegers.BytesOf(_zeroPoints);
        var blocks = BlocksOf(rows, columns);
        var result = new float[checked(rows * columns)];
        for (var i = 0; i < result.Length; i++)
        {
            var block = scales.Length == 1 ? 0 : blocks.At(i / columns, i % columns);
            var zero = _zeroPoints is null ? 0 : PackedIntegers.Get(zeroPoints, _zeroPoints.Type, block);
            result[i] = (PackedIntegers.Get(values, _values.Type, i) - zero) * scales[block];
        }

        return Tensor.Of<float>(result, Dims.AsSpan());
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
}

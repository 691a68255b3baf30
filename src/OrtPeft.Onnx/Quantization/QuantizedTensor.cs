using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Quantization;

/// <summary>A matrix in few bits.</summary>
/// <param name="Values">The integers or codes, with the matrix' axes; 4-bit ones two to a byte, the first in the low
/// half.</param>
/// <param name="Scales">One float32 per block, with the matrix' axes but for that of the blocks.</param>
/// <param name="ZeroPoints">One integer per block, of the values' type and the scales' axes; null when all are
/// 0.</param>
/// <param name="RelativeError">‖W − Ŵ‖ / ‖W‖, Frobenius; 0 for a matrix of zeros.</param>
public sealed record QuantizedTensor(Tensor Values, Tensor Scales, Tensor? ZeroPoints, double RelativeError)
{
    /// <summary>The axis along which blocks run, 0 or 1.</summary>
    public required int Axis { get; init; }

    /// <summary>Elements per block; the last along the axis may have fewer.</summary>
    public required int BlockSize { get; init; }

    /// <summary>What codes stand for; null where the values are integers.</summary>
    public CodeBook? CodeBook { get; init; }

    /// <summary>The numbers that the integers stand for.</summary>
    /// <returns>A new tensor of the matrix' axes, float32.</returns>
    public Tensor ToFloat32()
    {
        var blocks = new Blocks(checked((int)Values.Dims[0]), checked((int)Values.Dims[1]), Axis, BlockSize);
        var scales = Scales.ToFloat32();
        var values = PackedIntegers.BytesOf(Values);
        var zeroPoints = ZeroPoints is null ? [] : PackedIntegers.BytesOf(ZeroPoints);
        var result = new float[checked((int)Values.Count)];
        for (var i = 0; i < result.Length; i++)
        {
            var block = blocks.At(i / blocks.Columns, i % blocks.Columns);
            var value = PackedIntegers.Get(values, Values.Type, i);
            var zero = ZeroPoints is null ? 0 : PackedIntegers.Get(zeroPoints, ZeroPoints.Type, block);
            result[i] = scales[block] * (CodeBook?.Values[value] ?? value - zero);
        }

        return Tensor.Of<float>(result, Values.Dims.AsSpan());
    }
}

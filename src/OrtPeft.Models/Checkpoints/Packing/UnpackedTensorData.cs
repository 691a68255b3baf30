using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Packing;

/// <summary>The float32 numbers of a matrix in few bits, made when the first of them is read.</summary>
internal sealed class UnpackedTensorData(QuantizedTensor content) : ComputedTensorData(content.Values.Count)
{
    private readonly Lazy<float[]> _numbers = new(() => content.ToFloat32().ToFloat32());

    protected override void Compute(long first, Span<float> target) =>
        _numbers.Value.AsSpan((int)first, target.Length).CopyTo(target);
}

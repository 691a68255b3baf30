using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Checkpoints.Packing;

/// <summary>A matrix that a checkpoint holds in few bits.</summary>
/// <param name="Float">Its numbers, computed when they are read.</param>
/// <param name="Content">The same in few bits for a graph; null where blocks of a graph cannot hold them.</param>
internal sealed record PackedWeight(Tensor Float, QuantizedTensor? Content)
{
    /// <summary>A matrix in few bits.</summary>
    public static PackedWeight Of(string name, QuantizedTensor content) => new(
        new Tensor(ElementType.Float, content.Values.Dims, new UnpackedTensorData(content), name), content);

    /// <summary>A matrix of numbers.</summary>
    public static PackedWeight Of(string name, float[] numbers, long[] dims) =>
        new(new Tensor(ElementType.Float, [.. dims], Tensor.Of<float>(numbers, dims).Data, name), null);
}

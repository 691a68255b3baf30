using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>A tensor of a GGUF file.</summary>
/// <param name="Name">ggml's name.</param>
/// <param name="Type">How its numbers are held.</param>
/// <param name="Dims">The axes in PyTorch's order, the reverse of the file's.</param>
/// <param name="Bytes">The mapped bytes.</param>
internal sealed record GgufTensor(string Name, GgmlType Type, long[] Dims, TensorData Bytes)
{
    /// <summary>Numbers along the last axis.</summary>
    public long Columns => Dims.Length == 0 ? 1 : Dims[^1];

    /// <summary>The tensor; what is in few bits becomes float32 whenever it is read.</summary>
    public Tensor ToTensor(string name) => new(
        Type == GgmlType.F16 ? ElementType.Float16
            : Type == GgmlType.BF16 ? ElementType.BFloat16
            : Type == GgmlType.F64 ? ElementType.Double
            : ElementType.Float,
        [.. Dims],
        Type.Read is null ? Bytes : new GgufTensorData(this),
        name);
}

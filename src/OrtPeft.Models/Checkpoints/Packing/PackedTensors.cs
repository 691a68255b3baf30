using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Checkpoints.Packing;

/// <summary>The tensors of a checkpoint, each checked as it is read.</summary>
/// <param name="path">The file, for errors.</param>
/// <param name="lookup">Finds a tensor.</param>
internal sealed class PackedTensors(string path, Func<string, Tensor?> lookup)
{
    /// <summary>Whether there is such a tensor.</summary>
    public bool Has(string name) => lookup(name) is not null;

    /// <summary>A tensor, or null.</summary>
    public Tensor? Find(string name) => lookup(name);

    /// <summary>The 32-bit integers of a tensor.</summary>
    /// <exception cref="OnnxFormatException">It is missing, or of another type or shape.</exception>
    public int[] Int32(string name, params long[] dims) => Checked(name, ElementType.Int32, dims).Span<int>().ToArray();

    /// <summary>The bytes of a tensor.</summary>
    /// <exception cref="OnnxFormatException">It is missing, or of another type or shape.</exception>
    public byte[] Bytes(string name, ElementType type, params long[] dims)
    {
        var tensor = Checked(name, type, dims);
        return tensor.Data.Slice(0, checked((int)tensor.Data.Length)).ToArray();
    }

    /// <summary>The numbers of a tensor of any floating type.</summary>
    /// <exception cref="OnnxFormatException">It is missing, of another shape, or not of numbers.</exception>
    public float[] Floats(string name, params long[] dims)
    {
        var tensor = Shaped(name, dims);
        return tensor.Type.IsFloating()
            ? tensor.Widened().ToFloat32()
            : throw Broken($"'{name}' is {tensor.Type}, not floating-point numbers");
    }

    public OnnxFormatException Broken(string what) => new($"{path}: {what}; fetch the files again.");

    private Tensor Checked(string name, ElementType type, long[] dims)
    {
        var tensor = Shaped(name, dims);
        return tensor.Type == type ? tensor : throw Broken($"'{name}' is {tensor.Type}, not {type}");
    }

    private Tensor Shaped(string name, long[] dims)
    {
        var tensor = lookup(name) ?? throw Broken($"lacks the tensor '{name}'");
        return tensor.Dims.AsSpan().SequenceEqual(dims)
            ? tensor
            : throw Broken($"'{name}' is {tensor.Shape}, but must be [{string.Join(", ", dims)}]");
    }
}

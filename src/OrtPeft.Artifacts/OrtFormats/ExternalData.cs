using OrtPeft.Tensors;

namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>Collects the parameters that go to a file of their own, and where in it.</summary>
internal sealed class ExternalData
{
    /// <summary>ONNX Runtime aligns to 4 bytes, and to 8 where elements have 8; 8 for all is both.</summary>
    private const long Alignment = 8;

    private readonly List<(long Offset, Tensor Tensor)> _tensors = [];
    private long _end;

    /// <summary>Gives a tensor its place.</summary>
    /// <returns>The byte at which it starts.</returns>
    public long Add(Tensor tensor)
    {
        var offset = (_end + Alignment - 1) / Alignment * Alignment;
        _tensors.Add((offset, tensor));
        _end = offset + tensor.Data.Length;
        return offset;
    }

    public void WriteTo(Stream target)
    {
        long written = 0;
        foreach (var (offset, tensor) in _tensors)
        {
            for (; written < offset; written++)
                target.WriteByte(0);
            tensor.Data.CopyTo(target);
            written += tensor.Data.Length;
        }
    }
}

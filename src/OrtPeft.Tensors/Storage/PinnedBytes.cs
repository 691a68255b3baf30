using System.Buffers;

namespace OrtPeft.Tensors.Storage;

/// <summary>Bytes at a fixed address. Dispose it when native code no longer reads them.</summary>
public sealed class PinnedBytes : IDisposable
{
    private readonly object _owner;
    private MemoryHandle _handle;

    internal PinnedBytes(nint address, long length, object owner, MemoryHandle handle = default)
    {
        Address = address;
        Length = length;
        _owner = owner;
        _handle = handle;
    }

    /// <summary>The first byte's address.</summary>
    public nint Address { get; }

    /// <summary>How many bytes may be read.</summary>
    public long Length { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _handle.Dispose();
        GC.KeepAlive(_owner);
    }
}

using System.Diagnostics.CodeAnalysis;
using System.IO.MemoryMappedFiles;

namespace OrtPeft.Onnx.Storage;

/// <summary>
/// A file mapped read-only into memory: its pages are read when first touched and belong to the page cache. Unmapped when
/// the last tensor that points into it has been collected. Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Tensors share the mapping; the last one's collection unmaps it.")]
public sealed class MappedFile
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly nint _start;

    private MappedFile(string path, long length, MemoryMappedFile? file, MemoryMappedViewAccessor? view, nint start)
    {
        Path = path;
        Length = length;
        _file = file;
        _view = view;
        _start = start;
    }

    /// <summary>Gives the mapping back once nothing points into it.</summary>
    ~MappedFile()
    {
        if (_view is null)
            return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file!.Dispose();
    }

    /// <summary>The file's full path.</summary>
    public string Path { get; }

    /// <summary>The file's length in bytes when it was mapped.</summary>
    public long Length { get; }

    /// <summary>Maps a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The mapping.</returns>
    /// <exception cref="IOException">The file cannot be opened or mapped.</exception>
    public static unsafe MappedFile Open(string path)
    {
        var fullPath = System.IO.Path.GetFullPath(path);
        var length = new FileInfo(fullPath).Length;
        if (length == 0)
            return new MappedFile(fullPath, 0, null, null, 0);
        var file = MemoryMappedFile.CreateFromFile(
            fullPath, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        var view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        return new MappedFile(fullPath, length, file, view, (nint)start + (nint)view.PointerOffset);
    }

    /// <summary>A range of the file as tensor bytes, not copied.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">How many bytes.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the file.</exception>
    public TensorData Slice(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(nameof(offset), $"{offset}+{length} leaves the {Length} bytes of {Path}.");
        return new MappedTensorData(this, offset, length);
    }

    internal unsafe ReadOnlySpan<byte> Span(long offset, int count) => new((byte*)_start + offset, count);

    internal nint Address(long offset) => _start + (nint)offset;
}

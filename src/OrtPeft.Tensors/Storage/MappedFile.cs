using System.Diagnostics.CodeAnalysis;
using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace OrtPeft.Tensors.Storage;

/// <summary>
/// A file mapped read-only into memory: its pages are read when first touched and belong to the page cache. Unmapped
/// when
/// the last tensor that points into it has been collected. Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Tensors share the mapping; the last one's collection unmaps it.")]
public sealed class MappedFile
{
    private readonly SafeFileHandle? _handle;
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly nint _start;

    private MappedFile(string path, FileState? state)
    {
        (Path, Place, State) = (path, path, state);
        GC.SuppressFinalize(this);
    }

    private MappedFile(
        string path,
        FileState? state,
        long length,
        SafeFileHandle handle,
        MemoryMappedFile file,
        MemoryMappedViewAccessor view,
        nint start)
    {
        (Path, Place, State) = (path, RealPath.Of(path) ?? path, state);
        Length = length;
        _handle = handle;
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
        _handle!.Dispose();
    }

    /// <summary>The file's full path.</summary>
    public string Path { get; }

    /// <summary>The full path with all links followed: ONNX Runtime refuses files whose links leave their
    /// folder.</summary>
    internal string Place { get; }

    /// <summary>The file's length in bytes when it was mapped.</summary>
    public long Length { get; }

    /// <summary>The file's state when it was mapped; null where the file system did not tell.</summary>
    public FileState? State { get; }

    /// <summary>Maps a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The mapping.</returns>
    /// <exception cref="OnnxFormatException"><see cref="InputFile"/> refuses it.</exception>
    /// <exception cref="IOException">The file cannot be opened or mapped.</exception>
    public static unsafe MappedFile Open(string path)
    {
        var fullPath = System.IO.Path.GetFullPath(path);
        InputFile.Check(fullPath);
        var handle = File.OpenHandle(fullPath);
        MemoryMappedFile? file = null;
        try
        {
            var state = FileState.Of(handle, fullPath);
            var length = RandomAccess.GetLength(handle);
            if (length == 0)
            {
                handle.Dispose();
                return new MappedFile(fullPath, state);
            }

            file = MemoryMappedFile.CreateFromFile(
                handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            var view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            return new MappedFile(fullPath, state, length, handle, file, view, (nint)start + (nint)view.PointerOffset);
        }
        catch
        {
            file?.Dispose();
            handle.Dispose();
            throw;
        }
    }

    /// <summary>A range of the file as tensor bytes, not copied.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">How many bytes.</param>
    /// <returns>The bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the file.</exception>
    public TensorData Slice(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length - length)
            throw new ArgumentOutOfRangeException(
                nameof(offset), $"{offset}+{length} leaves the {Length} bytes of {Path}.");
        return new MappedTensorData(this, offset, length);
    }

    /// <summary>
    /// Gives the resident pages back to the system. They are the page cache's, so whoever touches them next gets the
    /// same bytes again, usually without reading the disk. Does nothing where the system has no such call.
    /// </summary>
    public void ReleasePages()
    {
        if (_view is null)
            return;
        NativeMemoryAdvice.Release(_start, (nuint)Length);
        GC.KeepAlive(this);
    }

    internal unsafe ReadOnlySpan<byte> Span(long offset, int count) => new((byte*)_start + offset, count);

    /// <summary>Reads through the same open file instead of the mapping, so that no pages become resident.</summary>
    internal void Read(long offset, Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            var count = RandomAccess.Read(_handle!, target, offset);
            if (count == 0)
                throw new EndOfStreamException($"{Path}: was cut to fewer than {Length} bytes while it was in use.");
            target = target[count..];
            offset += count;
        }
    }

    internal nint Address(long offset) => _start + (nint)offset;
}

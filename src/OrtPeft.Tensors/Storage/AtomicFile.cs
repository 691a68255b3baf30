using System.Diagnostics.CodeAnalysis;

namespace OrtPeft.Tensors.Storage;

/// <summary>
/// A file that appears complete or not at all: written beside its place under a temporary name, flushed to the disk,
/// then moved over, and its new name flushed too. Disposed without <see cref="Commit"/>, it leaves nothing behind.
/// </summary>
internal sealed class AtomicFile : IDisposable
{
    private const string Suffix = ".tmp";

    private readonly string _path;
    private readonly string _temporary;
    private readonly FileStream _stream;
    private bool _committed;

    /// <summary>Opens the temporary file.</summary>
    /// <param name="path">Where the file shall be; its folder must exist.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public AtomicFile(string path)
    {
        _path = Path.GetFullPath(path);
        _temporary = $"{_path}.{Guid.NewGuid():n}{Suffix}";
        FileSteps.Before($"create {_temporary}");
        _stream = new FileStream(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
    }

    /// <summary>Whether a file's name is that of an unfinished file, which a program that was killed left.</summary>
    /// <param name="fileName">The name, without folders.</param>
    /// <param name="finished">The name that the file would have had.</param>
    public static bool IsTemporary(string fileName, [NotNullWhen(true)] out string? finished)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        var stem = fileName.EndsWith(Suffix, StringComparison.Ordinal) ? fileName[..^Suffix.Length] : "";
        var dot = stem.LastIndexOf('.');
        finished = dot > 0 && Guid.TryParseExact(stem[(dot + 1)..], "n", out _) ? stem[..dot] : null;
        return finished is not null;
    }

    /// <summary>Where to write.</summary>
    public Stream Stream => _stream;

    /// <summary>Writes a whole file.</summary>
    /// <param name="path">Where the file shall be; its folder must exist.</param>
    /// <param name="content">The file's bytes.</param>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var file = new AtomicFile(path);
        file.Stream.Write(content);
        file.Commit();
    }

    /// <summary>Writes a whole text file in UTF-8.</summary>
    /// <param name="path">Where the file shall be; its folder must exist.</param>
    /// <param name="content">The text.</param>
    public static void Write(string path, string content) => Write(path, System.Text.Encoding.UTF8.GetBytes(content));

    /// <summary>Puts the finished file in its place.</summary>
    public void Commit()
    {
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        FileSteps.Move(_temporary, _path);
        _committed = true;
        FileSteps.SyncFolder(Path.GetDirectoryName(_path)!);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _stream.Dispose();
        }
        finally
        {
            if (!_committed)
                FileSteps.Delete(_temporary);
        }
    }
}

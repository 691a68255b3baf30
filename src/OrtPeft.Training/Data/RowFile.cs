using System.Buffers;
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;

namespace OrtPeft.Training.Data;

/// <summary>
/// Rows in a file that has no name any more where the system allows it: it takes room as long as somebody reads it, and
/// none after a crash. First all rows are appended, then they are read, from any thread.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Rows are read as long as somebody holds them; the handle closes itself then.")]
internal sealed class RowFile : IReadOnlyList<Example>
{
    /// <summary>Bytes that are written at once.</summary>
    private const int PieceBytes = 1 << 20;

    private readonly string _folder;
    private readonly SafeFileHandle _file;
    private readonly List<long> _ends = [];
    private readonly List<string?> _sources = [];
    private readonly ArrayBufferWriter<byte> _pending = new(2 * PieceBytes);
    private long _written;

    private RowFile(string folder, SafeFileHandle file) => (_folder, _file) = (folder, file);

    /// <inheritdoc/>
    public int Count => _ends.Count;

    /// <inheritdoc/>
    public Example this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            var start = index == 0 ? 0 : _ends[index - 1];
            var bytes = new byte[checked((int)(_ends[index] - start))];
            for (var done = 0; done < bytes.Length;)
            {
                var read = RandomAccess.Read(_file, bytes.AsSpan(done), start + done);
                done += read > 0 ? read : throw new IOException($"A file of rows in {_folder} was cut; free some room there.");
            }

            return RowRecord.Read(bytes, _sources);
        }
    }

    /// <summary>Begins an empty file.</summary>
    /// <exception cref="IOException">The folder for temporary files takes none.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The result takes the handle over.")]
    public static RowFile Create()
    {
        var folder = Path.GetTempPath();
        var path = Path.Combine(folder, $"ortpeft-rows-{Guid.NewGuid():N}");
        var file = Named(folder, () => File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, FileOptions.DeleteOnClose));
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
        return new RowFile(folder, file);
    }

    /// <summary>Appends a row.</summary>
    public void Append(Example row)
    {
        var source = _sources.Count > 0 && _sources[^1] == row.File ? _sources.Count - 1 : _sources.IndexOf(row.File);
        if (source < 0)
        {
            source = _sources.Count;
            _sources.Add(row.File);
        }

        RowRecord.Write(_pending, row, source);
        _ends.Add(_written + _pending.WrittenCount);
        if (_pending.WrittenCount >= PieceBytes)
            Flush();
    }

    /// <summary>Writes what was appended; rows can be read then.</summary>
    public void Flush()
    {
        Named(_folder, () =>
        {
            RandomAccess.Write(_file, _pending.WrittenSpan, _written);
            return 0;
        });
        _written += _pending.WrittenCount;
        _pending.ResetWrittenCount();
    }

    /// <inheritdoc/>
    public IEnumerator<Example> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static T Named<T>(string folder, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"The rows are too many for memory and cannot be kept in {folder} ({error.Message}); name a folder with more "
                + $"room in {(OperatingSystem.IsWindows() ? "TEMP" : "TMPDIR")}.",
                error);
        }
    }
}

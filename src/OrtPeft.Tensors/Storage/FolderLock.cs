using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace OrtPeft.Tensors.Storage;

/// <summary>
/// The right to write into a folder, which one process has at a time. The system takes it back when the process ends,
/// however it ends.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private const string FileName = $"{StagedFolder.HiddenPrefix}lock";

    private const int LongestNote = 256;

    /// <summary>The error codes of systems when another process has the lock: Linux, macOS, and Windows in two
    /// ways.</summary>
    private static readonly int[] InUse = [11, 35, unchecked((int)0x80070020), unchecked((int)0x80070021)];

    private readonly FileStream _file;
    private readonly string _path;

    private FolderLock(FileStream file, string path)
    {
        (_file, _path) = (file, path);
        try
        {
            Span<byte> note = stackalloc byte[LongestNote];
            LeftNote = Encoding.UTF8.GetString(note[..file.ReadAtLeast(note, note.Length, throwOnEndOfStream: false)]);
            Note = "";
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The <see cref="Note"/> that the process before left, because it was killed or wanted to.</summary>
    public string LeftNote { get; }

    /// <summary>The message to the next process if this one dies; empty at first.</summary>
    public string Note
    {
        get;
        set
        {
            field = value;
            _file.SetLength(0);
            _file.Position = 0;
            _file.Write(Encoding.UTF8.GetBytes(value));
            _file.Flush(flushToDisk: true);
        }
    }

    /// <summary>Whether the note stays when the lock is given back. False by default.</summary>
    public bool KeepsNote { get; set; }

    /// <summary>Takes the lock.</summary>
    /// <param name="folder">The folder; exists.</param>
    /// <returns>The lock, to be disposed; null where another process has it.</returns>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "The result takes the file over.")]
    public static FolderLock? TryTake(string folder)
    {
        var path = Path.Combine(Path.GetFullPath(folder), FileName);
        if (new FileInfo(path).LinkTarget is not null || FileState.Of(path) is not (null or { Kind: FileKind.Regular }))
            throw new IOException($"{path} is not a regular file; remove it.");
        while (true)
        {
            FileStream file;
            try
            {
                FileSteps.Before($"lock {path}");
                file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException e) when (InUse.Contains(e.HResult))
            {
                return null;
            }

            // Between opening and locking, the process before may have removed the file: that lock is nobody's.
            if (FileState.Of(file.SafeFileHandle, path)?.Identity == FileState.Of(path)?.Identity)
                return new FolderLock(file, path);
            file.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (KeepsNote && Note.Length > 0)
        {
            _file.Dispose();
            return;
        }

        try
        {
            if (!OperatingSystem.IsWindows())
                FileSteps.Delete(_path); // while it is still locked
        }
        finally
        {
            _file.Dispose();
        }

        if (OperatingSystem.IsWindows())
            DeleteUnlessTaken();
    }

    private void DeleteUnlessTaken()
    {
        try
        {
            File.Delete(_path);
        }
        catch (IOException)
        {
            // Another process has it by now.
        }
    }
}

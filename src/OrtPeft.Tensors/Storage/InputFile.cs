namespace OrtPeft.Tensors.Storage;

/// <summary>
/// The door through which files come in: it lets regular files pass, in folders whose files are all of one time.
/// </summary>
internal static class InputFile
{
    /// <summary>The longest of Git LFS's pointers, in bytes.</summary>
    private const int LongestPointer = 1024;

    /// <summary>Refuses what cannot be read as a file; a path where there is nothing passes.</summary>
    /// <param name="path">The path; links count as what they lead to.</param>
    /// <exception cref="OnnxFormatException">It is a pipe, a socket or a device, a pointer of Git LFS in the file's place, or
    /// the folder's files were being replaced when the program that did it was stopped.</exception>
    public static void Check(string path)
    {
        if (FileState.Of(path) is not { } state)
            return;
        if (state.Kind is FileKind.Pipe or FileKind.Socket or FileKind.Device)
        {
            var what = state.Kind switch
            {
                FileKind.Pipe => "a pipe",
                FileKind.Socket => "a socket",
                _ => "a device",
            };
            throw new OnnxFormatException(
                $"{path}: is {what}, not a regular file; save what it gives to a file first.");
        }

        if (state is { Kind: FileKind.Regular, Length: > 0 and < LongestPointer } && IsPointer(path))
        {
            throw new OnnxFormatException(
                $"{path}: is a pointer of Git LFS, not the file itself; run 'git lfs pull' in its folder, or download the file.");
        }

        StagedFolder.RefuseUnfinished(Path.GetDirectoryName(Path.GetFullPath(path)));
    }

    /// <summary>Whether Git LFS left its pointer in a file's place.</summary>
    /// <seealso href="https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md">The pointer's form.</seealso>
    private static bool IsPointer(string path)
    {
        var start = "version https://git-lfs."u8;
        Span<byte> bytes = stackalloc byte[start.Length];
        try
        {
            using var file = File.OpenHandle(path);
            return RandomAccess.Read(file, bytes, 0) == bytes.Length && bytes.SequenceEqual(start);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // whoever reads it says why it cannot be read
        }
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>Its bytes.</returns>
    /// <exception cref="OnnxFormatException"><see cref="Check"/> refuses it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static byte[] ReadAllBytes(string path)
    {
        Check(path);
        return File.ReadAllBytes(path);
    }

    /// <summary>Opens a file to be read from its start to its end.</summary>
    /// <param name="path">The file.</param>
    /// <param name="bufferSize">The stream's buffer, in bytes; 1 for none.</param>
    /// <returns>The stream, to be disposed.</returns>
    /// <exception cref="OnnxFormatException"><see cref="Check"/> refuses it.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static FileStream OpenRead(string path, int bufferSize = 4096)
    {
        Check(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize);
    }
}

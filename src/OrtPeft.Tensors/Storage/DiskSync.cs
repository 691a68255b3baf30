using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OrtPeft.Tensors.Storage;

/// <summary>Has the system write what it still keeps in memory: a file's content, or which names a folder holds.</summary>
internal static partial class DiskSync
{
    private const int InputOutputError = 5; // EIO, on Linux and macOS

    /// <summary>
    /// Makes names that were moved, made or removed in a folder outlast a loss of power. Windows has no call for it and
    /// its file systems keep a journal of names; some file systems refuse it, which is not an error.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="IOException">The disk fails.</exception>
    /// <seealso href="https://man7.org/linux/man-pages/man2/fsync.2.html">fsync(2), Description.</seealso>
    public static void Folder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(folder, 0);
        if (descriptor < 0)
            return; // a folder that may be written and not read
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Sync(handle) != 0 && Marshal.GetLastPInvokeError() == InputOutputError)
            throw new IOException($"{folder}: the disk cannot write it: {new Win32Exception(InputOutputError).Message}");
    }

    /// <summary>Makes a file's content outlast a loss of power.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The disk fails.</exception>
    public static void Content(string path)
    {
        // Windows wants a handle that may write; what is marked read-only there is left to the system.
        if (OperatingSystem.IsWindows() && File.GetAttributes(path).HasFlag(FileAttributes.ReadOnly))
            return;
        var access = OperatingSystem.IsWindows() ? FileAccess.ReadWrite : FileAccess.Read;
        using var handle = File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle file);
}

using Microsoft.Win32.SafeHandles;

namespace OrtPeft.Tensors.Storage;

/// <summary>
/// The file system's account of a file or folder, links followed. Two states are equal where it is the same file and
/// nobody wrote to it in between.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Identity">The same for all paths to one file, of whatever spelling: on Linux device and inode,
/// elsewhere the path without links, in one case.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Modified">When it was last written to, in the file system's own ticks.</param>
public readonly record struct FileState(FileKind Kind, string Identity, long Length, long Modified)
{
    /// <summary>Asks about a path; nothing is opened.</summary>
    /// <param name="path">The path.</param>
    /// <returns>The state, or null where there is nothing, or no permission to look.</returns>
    public static FileState? Of(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return OperatingSystem.IsLinux() ? LinuxFileStatus.Of(path) : Portable(path);
    }

    /// <summary>Whether two paths lead to the same place, which need not be there yet.</summary>
    /// <param name="path">One path.</param>
    /// <param name="other">The other.</param>
    public static bool IsSame(string path, string other) => IdentityOf(path) == IdentityOf(other);

    /// <summary>Asks about an open file, which may have no path any more.</summary>
    internal static FileState? Of(SafeFileHandle handle, string path) =>
        OperatingSystem.IsLinux() ? LinuxFileStatus.Of(handle) : Portable(path);

    /// <summary>Of what is missing: the folder above, which is there, and the names below it.</summary>
    private static string IdentityOf(string path)
    {
        var place = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Of(place) is { } state)
            return state.Identity;
        return Path.GetDirectoryName(place) is { } parent
            ? $"{IdentityOf(parent)}/{Path.GetFileName(place)}"
            : place;
    }

    private static FileState? Portable(string path)
    {
        var isFolder = Directory.Exists(path);
        if (!isFolder && !File.Exists(path))
            return null;
        FileSystemInfo info = isFolder ? new DirectoryInfo(path) : new FileInfo(path);
        info = info.ResolveLinkTarget(returnFinalTarget: true) ?? info;
        var kind = isFolder ? FileKind.Folder
            : info.Attributes.HasFlag(FileAttributes.Device) ? FileKind.Device : FileKind.Regular;
        var name = Path.TrimEndingDirectorySeparator(info.FullName);
        var parent = Path.GetDirectoryName(name);
        var identity = (parent is null ? name : Path.Join(Portable(parent)?.Identity, Path.GetFileName(name)))
            .ToUpperInvariant();
        return new FileState(kind, identity, (info as FileInfo)?.Length ?? 0, info.LastWriteTimeUtc.Ticks);
    }
}

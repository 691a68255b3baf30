namespace OrtPeft.Tensors.Storage;

/// <summary>Where a path leads once every link on the way is followed.</summary>
internal static class RealPath
{
    private const int MaxLinks = 40;

    /// <summary>
    /// The path with every folder on the way followed to where it really is, not only the file itself: a link's own
    /// text begins at the folder that it is really in.
    /// </summary>
    /// <param name="path">A path; need not exist.</param>
    /// <returns>The full path, or null when more links than a system follows come one after another.</returns>
    public static string? Of(string path) => Of(Path.GetFullPath(path), MaxLinks);

    private static string? Of(string path, int allowed)
    {
        if (Path.GetDirectoryName(path) is not { } parent)
            return path;
        if (allowed == 0 || Of(parent, allowed) is not { } folder)
            return null;
        var place = Path.Combine(folder, Path.GetFileName(path));
        return new FileInfo(place).LinkTarget is { } target
            ? Of(Path.GetFullPath(target, folder), allowed - 1)
            : place;
    }
}

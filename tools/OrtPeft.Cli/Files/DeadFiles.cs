using OrtPeft.Tensors.Storage;

namespace OrtPeft.Cli.Files;

/// <summary>The remains of killed processes in a folder: unfinished files, and folders of staged ones.</summary>
internal static class DeadFiles
{
    /// <summary>Removes them; the caller has the folder's lock and no journal is left to be finished.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">The names that finished files would have.</param>
    public static void Remove(string folder, IReadOnlyList<string> names)
    {
        foreach (var entry in new DirectoryInfo(folder).GetFileSystemInfos())
        {
            if (entry is DirectoryInfo && IsStage(entry.Name))
                FileSteps.DeleteFolder(entry.FullName, withContent: true);
            else if (entry is FileInfo && AtomicFile.IsTemporary(entry.Name, out var name) && IsOurs(name, names))
                FileSteps.Delete(entry.FullName);
        }
    }

    private static bool IsStage(string name) =>
        name.StartsWith(StagedFolder.HiddenPrefix, StringComparison.Ordinal)
        && Guid.TryParseExact(name[StagedFolder.HiddenPrefix.Length..], "n", out _);

    private static bool IsOurs(string name, IReadOnlyList<string> names) =>
        names.Contains(name, StringComparer.Ordinal)
        || name.StartsWith(StagedFolder.HiddenPrefix, StringComparison.Ordinal);
}

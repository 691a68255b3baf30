using OrtPeft.Adapters;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Files;

/// <summary>Finds adapters' folders below others. Links are followed, each place is visited once.</summary>
internal static class AdapterSearch
{
    private const int Deepest = 32;

    /// <summary>All adapters, each folder before those inside it, these sorted by name.</summary>
    /// <param name="folders">Where to look.</param>
    /// <param name="warn">Receives what was passed over, and why.</param>
    /// <exception cref="UsageException">One is not a folder.</exception>
    public static IReadOnlyList<string> Below(IReadOnlyList<string> folders, Action<string> warn)
    {
        if (folders.FirstOrDefault(static f => !Directory.Exists(f)) is { } missing)
            throw new UsageException($"{missing} is not a folder; give one with adapters in it.");
        var (seen, found) = (new HashSet<string>(StringComparer.Ordinal), new List<string>());
        foreach (var folder in folders)
            Visit(folder, 0);
        return found;

        void Visit(string folder, int depth)
        {
            if (!seen.Add(RealPath(folder)))
                return;
            if (File.Exists(Path.Combine(folder, AdapterFolder.ConfigFile)))
                found.Add(folder);
            if (depth == Deepest)
                warn($"{folder} is {Deepest} folders deep; what is in it is passed over.");
            else
                foreach (var inner in FoldersIn(folder, warn))
                    Visit(inner, depth + 1);
        }
    }

    private static string[] FoldersIn(string folder, Action<string> warn)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            warn($"{folder} cannot be searched: {e.Message}");
            return [];
        }
    }

    private static string RealPath(string folder)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var target = new DirectoryInfo(full).ResolveLinkTarget(returnFinalTarget: true)?.FullName;
        return Path.TrimEndingDirectorySeparator(target ?? full);
    }
}

using System.IO.Enumeration;

namespace OrtPeft.Training.Data.Containers;

/// <summary>Finds the files that a path, a folder or a pattern means.</summary>
public static class RowPaths
{
    private const string AnyFolders = "**";

    private static readonly string[] Endings = [".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"];

    private static readonly string[] Compressed = [".gz", ".zst"];

    /// <summary>
    /// The files of a path, sorted by name: a file is itself; a folder stands for the data files in it and below (JSON
    /// Lines, JSON, CSV, TSV and Parquet, also <c>.gz</c> and <c>.zst</c>); <c>*</c> and <c>?</c> stand for any
    /// characters of a name, and <c>**</c> for any folders.
    /// </summary>
    /// <param name="path">A path, or a pattern; a file that is called like a pattern is itself.</param>
    /// <param name="skipped">How many files of a folder are not data files by their names.</param>
    /// <returns>The files, at least one.</returns>
    /// <exception cref="TrainingDataException">The folder has no data file, or nothing fits the pattern.</exception>
    public static IReadOnlyList<string> Find(string path, out int skipped)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        skipped = 0;
        if (Directory.Exists(path))
            return OfFolder(path, out skipped);
        if (File.Exists(path) || path.AsSpan().IndexOfAny('*', '?') < 0)
            return [path];
        var names = path.Split('/', Path.DirectorySeparatorChar);
        var root = path.StartsWith('/') ? "/" : "";
        string[] found = [.. Matching(root, names[(root.Length > 0 ? 1 : 0)..]).Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)];
        return found.Length > 0
            ? found
            : throw new DataPlace(path, 0).Error($"no file fits the pattern; give one that does");
    }

    private static string[] OfFolder(string folder, out int skipped)
    {
        string[] all = [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)];
        string[] data = [.. all.Where(IsData).Order(StringComparer.Ordinal)];
        skipped = all.Length - data.Length;
        return data.Length > 0 ? data : throw new DataPlace(folder, 0).Error(
            $"the folder has no data files; their names end with {string.Join(", ", Endings)}, with or without .gz or .zst");
    }

    private static bool IsData(string file)
    {
        var plain = Compressed.Contains(Path.GetExtension(file)) ? Path.ChangeExtension(file, null) : file;
        return Endings.Contains(Path.GetExtension(plain)) && Path.GetFileName(file)[0] != '.';
    }

    private static IEnumerable<string> Matching(string folder, string[] names)
    {
        if (names is not [var name, .. var rest])
            yield break;
        var place = folder.Length == 0 ? "." : folder;
        if (name == AnyFolders)
        {
            foreach (var file in Matching(folder, rest))
                yield return file;
            foreach (var below in Directory.EnumerateDirectories(place))
            {
                foreach (var file in Matching(Path.Combine(folder, Path.GetFileName(below)), names))
                    yield return file;
            }

            yield break;
        }

        var entries = rest.Length == 0
            ? Directory.EnumerateFiles(place)
            : Directory.EnumerateDirectories(place).Concat(name is "." or ".." ? [name] : []);
        foreach (var entry in entries)
        {
            var found = Path.GetFileName(entry);
            if (!FileSystemName.MatchesSimpleExpression(name, found, ignoreCase: false))
                continue;
            var path = Path.Combine(folder, found);
            foreach (var file in rest.Length == 0 ? [path] : Matching(path, rest))
                yield return file;
        }
    }
}

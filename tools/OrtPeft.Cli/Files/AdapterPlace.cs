using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Errors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Cli.Files;

/// <summary>An adapter on disk, and what it is called beside others.</summary>
/// <param name="Name">Its folder's name, with a number after it if another has the same name.</param>
/// <param name="Folder">The folder that holds the configuration.</param>
internal sealed record AdapterPlace(string Name, string Folder)
{
    private const int LongestName = 80;

    /// <summary>Finds the adapters that were asked for; a folder that only has one adapter's folder in it means
    /// that.</summary>
    /// <param name="folders">As the user gave them, at least one.</param>
    /// <exception cref="UsageException">One is given twice.</exception>
    public static IReadOnlyList<AdapterPlace> Of(IReadOnlyList<string> folders) => Of("--adapter", folders);

    /// <summary>Finds the adapters that an option names.</summary>
    /// <param name="option">The option.</param>
    /// <param name="folders">As the user gave them, at least one.</param>
    /// <exception cref="UsageException">One is given twice.</exception>
    public static IReadOnlyList<AdapterPlace> Of(string option, IReadOnlyList<string> folders)
    {
        var places = new List<AdapterPlace>();
        foreach (var folder in folders.Select(f => FolderOf(option, f)).Select(Only))
        {
            if (places.Any(p => FileState.IsSame(p.Folder, folder)))
                throw new UsageException($"{option} {folder} is given twice; give each adapter once.");
            places.Add(new AdapterPlace(Unused(NameOf(folder), places), folder));
        }

        return places;
    }

    /// <summary>The folder that was meant: the one given, or that of the weights or the configuration given.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="path">As the user gave it.</param>
    /// <exception cref="UsageException">It is another file.</exception>
    public static string FolderOf(string option, string path)
    {
        if (!File.Exists(path))
            return path;
        return AdapterFiles.Names.Contains(Path.GetFileName(path))
            ? Path.GetDirectoryName(path) is { Length: > 0 } folder ? folder : "."
            : throw new UsageException($"{option} {path} is not an adapter's file; give the adapter's folder.");
    }

    private static string Only(string folder) => AdapterFolder.AllIn(folder) is [var only] ? only.Folder : folder;

    private static string Full(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    /// <summary>Adapters' names have letters, digits, <c>_</c> and <c>-</c>.</summary>
    private static string NameOf(string folder)
    {
        char[] signs = [.. Path.GetFileName(Full(folder)).Take(LongestName).Select(
            static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '-')];
        return signs.Length == 0 ? PeftModel.DefaultName : new string(signs);
    }

    private static string Unused(string name, List<AdapterPlace> places) =>
        Enumerable.Range(1, places.Count + 1)
            .Select(n => n == 1 ? name : $"{name}-{n}")
            .First(candidate => places.All(p => p.Name != candidate));
}

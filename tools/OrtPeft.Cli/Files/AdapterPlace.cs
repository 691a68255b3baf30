using OrtPeft.Adapters;
using OrtPeft.Cli.Errors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Cli.Files;

/// <summary>An adapter on disk, and what it is called beside others.</summary>
/// <param name="Name">Its folder's name, with a number behind it where two are called the same.</param>
/// <param name="Folder">The folder that holds the configuration.</param>
internal sealed record AdapterPlace(string Name, string Folder)
{
    private const int LongestName = 80;

    /// <summary>Finds the adapters that were asked for; a folder that only has one adapter's folder in it means
    /// that.</summary>
    /// <param name="folders">As the user gave them, at least one.</param>
    /// <exception cref="UsageException">One is given twice.</exception>
    public static IReadOnlyList<AdapterPlace> Of(IReadOnlyList<string> folders)
    {
        var places = new List<AdapterPlace>();
        foreach (var folder in folders.Select(static f => AdapterFolder.AllIn(f) is [var only] ? only.Folder : f))
        {
            if (places.Any(p => FileState.IsSame(p.Folder, folder)))
                throw new UsageException($"--adapter {folder} is given twice; give each adapter once.");
            places.Add(new AdapterPlace(Unused(NameOf(folder), places), folder));
        }

        return places;
    }

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

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

    /// <summary>Finds adapters that may be given as <c>NAME=DIR</c>, for files and requests to call them by.</summary>
    /// <param name="given">As the user gave them, at least one.</param>
    /// <exception cref="UsageException">One is given twice, two have one name, or a name is none.</exception>
    public static IReadOnlyList<AdapterPlace> Named(IReadOnlyList<string> given)
    {
        var named = given.Select(Parted).ToList();
        var places = Of([.. named.Select(static n => n.Folder)]);
        var names = named.Select(static n => n.Name).OfType<string>().ToList();
        if (names.GroupBy(static n => n, StringComparer.OrdinalIgnoreCase).FirstOrDefault(static g => g.Count() > 1) is { } twice)
            throw new UsageException($"Two adapters are called '{twice.Key}'; give each a name of its own, as in --adapter NAME=DIR.");
        var all = new List<AdapterPlace>();
        foreach (var (place, (name, _)) in places.Zip(named))
        {
            var taken = all.Select(static p => p.Name).Concat(name is null ? names : []).ToList();
            all.Add(place with { Name = name ?? Free(place.Name, taken) });
        }

        return all;
    }

    private static string Free(string name, List<string> taken) =>
        Enumerable.Range(1, taken.Count + 1)
            .Select(n => n == 1 ? name : $"{name}-{n}")
            .First(candidate => !taken.Contains(candidate, StringComparer.OrdinalIgnoreCase));

    private static (string? Name, string Folder) Parted(string given)
    {
        var sign = given.IndexOf('=', StringComparison.Ordinal);
        if (sign < 0 || Directory.Exists(given))
            return (null, given);
        var name = given[..sign];
        return IsName(name)
            ? (name, given[(sign + 1)..])
            : throw new UsageException(
                $"--adapter {given} is not a folder, and '{name}' is not a name of letters, digits, '_' and '-'; give NAME=DIR, or DIR "
                + "alone.");
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
            static c => IsSign(c) ? c : '-')];
        return signs.Length == 0 ? PeftModel.DefaultName : new string(signs);
    }

    /// <summary>Whether an adapter can be called so.</summary>
    public static bool IsName(string text) => text.Length is > 0 and <= LongestName && text.All(IsSign);

    private static bool IsSign(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-';

    private static string Unused(string name, List<AdapterPlace> places) =>
        Enumerable.Range(1, places.Count + 1)
            .Select(n => n == 1 ? name : $"{name}-{n}")
            .First(candidate => places.All(p => p.Name != candidate));
}

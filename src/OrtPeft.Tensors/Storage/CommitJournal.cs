using System.Text;

namespace OrtPeft.Tensors.Storage;

/// <summary>The plan for a folder's files: written before the first of them is touched.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Stage">The name of the folder inside that holds the new files.</param>
/// <param name="Written">The new files, relative to both folders.</param>
/// <param name="Retired">Old files that go.</param>
internal sealed record CommitJournal(
    string Folder, string Stage, IReadOnlyList<string> Written, IReadOnlyList<string> Retired)
{
    private const string FileName = $"{StagedFolder.HiddenPrefix}commit";
    private const char Separator = '\0';
    private const char Comes = '+';
    private const char Goes = '-';

    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, FileName));

    /// <summary>The folder's journal, or null where all is finished.</summary>
    public static CommitJournal? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        if (FileState.Of(path) is not { Kind: FileKind.Regular } || new FileInfo(path).LinkTarget is not null)
            throw Damaged(path);
        var entries = Encoding.UTF8.GetString(File.ReadAllBytes(path)).Split(Separator);
        var names = entries.Skip(1).ToLookup(static e => e.FirstOrDefault(), static e => e.Length > 1 ? e[1..] : "");
        var journal = new CommitJournal(folder, entries[0], [.. names[Comes]], [.. names[Goes]]);
        var isKnown = names.All(static group => group.Key is Comes or Goes);
        if (!isKnown || !IsStage(journal.Stage) || !journal.Written.Concat(journal.Retired).All(IsInside))
            throw Damaged(path);
        return journal;
    }

    /// <summary>Refuses places that no file can take, while nothing has been touched yet.</summary>
    /// <exception cref="IOException">There is one.</exception>
    public void Check()
    {
        foreach (var place in Written.Select(Place))
        {
            if (Directory.Exists(place))
                throw new IOException($"{place} is a folder, where a file is to be; remove it.");
        }

        _ = Retired.Select(Place).Count();
    }

    /// <summary>From here on the new files count. They are on the disk before the journal is.</summary>
    public void Write()
    {
        var stage = Path.Combine(Folder, Stage);
        foreach (var file in Written.Select(name => Path.Combine(stage, name)))
            FileSteps.SyncContent(file);
        SyncFoldersOf(stage, Written);
        var entries = Written.Select(static name => $"{Comes}{name}")
            .Concat(Retired.Select(static name => $"{Goes}{name}"));
        AtomicFile.Write(Path.Combine(Folder, FileName), string.Join(Separator, entries.Prepend(Stage)));
    }

    /// <summary>Does what is left to do, however far an attempt before came.</summary>
    public void Apply()
    {
        var stage = Path.Combine(Folder, Stage);
        var waiting = Written.Where(name => File.Exists(Path.Combine(stage, name))).ToArray();
        foreach (var place in Retired.Concat(waiting).Select(Place).Where(File.Exists))
            FileSteps.Delete(place);
        foreach (var name in waiting)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Place(name))!);
            FileSteps.Move(Path.Combine(stage, name), Place(name));
        }

        foreach (var inner in Retired.Select(n => Path.GetDirectoryName(Place(n))!).Where(f => f != Folder).Distinct())
        {
            if (Directory.Exists(inner) && !Directory.EnumerateFileSystemEntries(inner).Any())
                FileSteps.DeleteFolder(inner, withContent: false);
        }

        SyncFoldersOf(Folder, Written);
        FileSteps.Delete(Path.Combine(Folder, FileName));
        if (Directory.Exists(stage))
            FileSteps.DeleteFolder(stage, withContent: true);
    }

    /// <summary>Writes the names in a folder and in those inside that hold some files, the innermost first.</summary>
    private static void SyncFoldersOf(string folder, IEnumerable<string> names)
    {
        var inner = names.SelectMany(static name => Above(name)).Distinct().OrderByDescending(static n => n.Length);
        foreach (var path in inner.Append("").Select(name => Path.Combine(folder, name)))
            FileSteps.SyncFolder(path);
    }

    private static IEnumerable<string> Above(string name)
    {
        for (var above = Path.GetDirectoryName(name); !string.IsNullOrEmpty(above); above = Path.GetDirectoryName(above))
            yield return above;
    }

    private static OnnxFormatException Damaged(string path) =>
        new($"{path}: is damaged; look through the folder, and remove this file.");

    private static bool IsStage(string name) =>
        name.StartsWith(StagedFolder.HiddenPrefix, StringComparison.Ordinal) && IsInside(name)
        && name.IndexOfAny(['/', '\\']) < 0;

    private static bool IsInside(string name) =>
        name.Length > 0 && !Path.IsPathRooted(name)
        && !name.Split('/', '\\').Any(static part => part is "" or "." or "..");

    /// <summary>Where a file goes: through folders, never through links that lead elsewhere.</summary>
    private string Place(string name)
    {
        var inner = Path.GetDirectoryName(name);
        for (; !string.IsNullOrEmpty(inner); inner = Path.GetDirectoryName(inner))
        {
            var folder = Path.Combine(Folder, inner);
            if (File.Exists(folder))
                throw new IOException($"{folder} is a file, where a folder is to be; remove it.");
            if (new FileInfo(folder).LinkTarget is not null)
                throw new IOException($"{folder} is a link, where a folder is to be; remove it.");
        }

        return Path.Combine(Folder, name);
    }
}

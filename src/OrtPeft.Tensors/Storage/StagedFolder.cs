namespace OrtPeft.Tensors.Storage;

/// <summary>
/// Files that belong together and take their places in a folder together: they are written into a folder inside, and
/// <see cref="Commit"/> puts them in place, all or none. A program that dies before leaves the folder as it was; one
/// that dies while files take their places leaves a journal, with which the next writer finishes the work, and until
/// then <see cref="InputFile"/> opens nothing in the folder.
/// </summary>
/// <remarks>
/// The journal lists what goes and what comes. Old files go before the first new one comes, so that there is no moment
/// with files of both times, not even for programs that know no journal.
/// </remarks>
internal sealed class StagedFolder : IDisposable
{
    /// <summary>The prefix of temporary files' and folders' names; a finished run leaves none of them.</summary>
    public const string HiddenPrefix = ".ortpeft-";

    private readonly string _target;

    /// <summary>Makes the target where it is missing, and finishes what a writer before left unfinished.</summary>
    /// <param name="target">Where the files go.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="OnnxFormatException">Its journal is damaged.</exception>
    public StagedFolder(string target)
    {
        _target = System.IO.Path.GetFullPath(target);
        Directory.CreateDirectory(_target);
        Finish(_target);
        Path = System.IO.Path.Combine(_target, $"{HiddenPrefix}{Guid.NewGuid():n}");
        FileSteps.Before($"make {Path}");
        Directory.CreateDirectory(Path);
    }

    /// <summary>Where to write; on the target's disk.</summary>
    public string Path { get; }

    /// <summary>The files written so far: names relative to the folder, in a fixed order.</summary>
    public IReadOnlyList<string> Names =>
    [
        .. Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories)
            .Select(file => System.IO.Path.GetRelativePath(Path, file))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Finishes what a writer that died left unfinished; does nothing where there is no such thing.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="OnnxFormatException">The journal is damaged.</exception>
    public static void Finish(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        CommitJournal.Read(folder)?.Apply();
    }

    /// <summary>Puts the files in their places; those of the same names are replaced.</summary>
    /// <param name="retired">Names of files that go where they are there and are not written anew.</param>
    /// <exception cref="IOException">A place is a folder's, or the folder cannot be written; where it says nothing of
    /// a journal, everything is as it was.</exception>
    public void Commit(params IEnumerable<string> retired)
    {
        var written = Names;
        var gone = retired.Except(written, StringComparer.Ordinal)
            .Where(name => File.Exists(System.IO.Path.Combine(_target, name))).ToArray();
        if (written.Count + gone.Length == 0)
            return;
        var journal = new CommitJournal(_target, System.IO.Path.GetFileName(Path), written, gone);
        journal.Check();
        journal.Write();
        journal.Apply();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Directory.Exists(Path) && !CommitJournal.IsIn(_target))
            FileSteps.DeleteFolder(Path, withContent: true);
    }

    /// <summary>Refuses a folder whose files are of two times.</summary>
    internal static void RefuseUnfinished(string? folder)
    {
        if (folder is not null && CommitJournal.IsIn(folder))
        {
            throw new OnnxFormatException(
                $"{folder}: its files are being replaced, or the command that replaced them was stopped half way; run "
                + "that command again, which finishes it first.");
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using OrtPeft.Cli.Errors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Cli.Files;

/// <summary>
/// A folder that results go to, which no other process writes to meanwhile. It is made and tried before long work
/// starts; when the work fails, the folders that were made for it and the files that were staged in it are gone again.
/// </summary>
internal sealed class OutputFolder : IDisposable
{
    private const int MostShown = 60;

    private readonly string _given;
    private readonly FolderFiles _files;
    private readonly bool _mayReplace;
    private readonly Stack<string> _made;
    private FolderLock? _lock;
    private StagedFolder? _stage;
    private bool _isKept;

    private OutputFolder(string given, string path, FolderFiles files, bool mayReplace)
    {
        (_given, FullPath, _files, _mayReplace, _made) = (given, path, files, mayReplace, Missing(path));
    }

    public string FullPath { get; }

    /// <summary>A folder inside, on the same disk, for files that appear together; made when first read.</summary>
    public string Stage => (_stage ??= new StagedFolder(FullPath)).Path;

    /// <summary>Makes the folder, takes it for this process, and clears up after processes that were killed.</summary>
    /// <param name="option">The option that names the folder.</param>
    /// <param name="path">The folder as the user gave it.</param>
    /// <param name="files">What is to be written there.</param>
    /// <param name="mayReplace">Whether the user allows files to be replaced.</param>
    /// <param name="inputs">Files that the run reads.</param>
    /// <returns>The folder, to be disposed.</returns>
    /// <exception cref="UsageException">The folder cannot be written, or holds what must not be lost.</exception>
    public static OutputFolder Open(
        string option, string path, FolderFiles files, bool mayReplace, IEnumerable<string> inputs)
    {
        var given = $"{option} {path}";
        var fullPath = Path.GetFullPath(path);
        if (File.Exists(fullPath))
            throw new UsageException($"{given} is a file; give a folder.");
        var folder = new OutputFolder(given, fullPath, files, mayReplace);
        try
        {
            folder.Take();
            folder.Check([.. inputs]);
            return folder;
        }
        catch (Exception e)
        {
            folder.Dispose();
            if (e is PathTooLongException)
                throw new UsageException($"{Shortened(given)} is too long for this system; give another folder.", e);
            if (e is IOException or UnauthorizedAccessException)
                throw new UsageException($"{given} cannot be written ({e.Message}); give another folder.", e);
            throw;
        }
    }

    /// <summary>Lets the folder stay, with what lies in it by now; staged files take their places.</summary>
    /// <exception cref="UsageException">A place was taken meanwhile.</exception>
    public void Keep()
    {
        if (_stage is not null)
        {
            var names = _stage.Names;
            if (names.Except(_files.Written).Except(_files.Yielding).FirstOrDefault() is { } undeclared)
                throw new UnreachableException($"Bug: {undeclared} is written and not in the list of files.");
            var retired = _files.RetiredIn(FullPath);
            if (!_mayReplace && names.Except(_files.Yielding).FirstOrDefault(IsTaken) is { } taken)
                throw Holds(taken);
            _stage.Commit(retired);
        }

        _isKept = true;
    }

    public void Dispose()
    {
        _stage?.Dispose();
        if (_lock is not null)
        {
            _lock.KeepsNote = !_isKept && !HasAnchor() && _files.Provisional is { } name && IsTaken(name);
            _lock.Dispose();
        }

        while (!_isKept && _made.TryPop(out var folder))
        {
            if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
        }
    }

    private void Take()
    {
        Directory.CreateDirectory(FullPath);
        _lock = FolderLock.TryTake(FullPath)
            ?? throw new UsageException(
                $"{_given} is being written to by another process; give another folder, or wait.");
        StagedFolder.Finish(FullPath);
        DeadFiles.Remove(FullPath, [.. _files.Written, .. _files.Yielding]);
    }

    private void Check(IReadOnlyList<string> inputs)
    {
        foreach (var name in _files.Written)
        {
            if (Directory.Exists(Path.Combine(FullPath, name)))
                throw NotHere($"a folder {name}, where a file is to be");
            if (Path.GetDirectoryName(name) is { Length: > 0 } inner && IsNoFolder(Path.Combine(FullPath, inner)))
                throw NotHere($"{inner}, which is not a folder");
        }

        if (_files.ForeignIn(FullPath) is { } foreign)
            throw NotHere($"{foreign}, so that it is a folder of another kind");
        string[] places = [.. _files.Written.Where(IsTaken).Union(_files.RetiredIn(FullPath), StringComparer.Ordinal)];
        foreach (var name in places)
        {
            if (inputs.Any(input => FileState.IsSame(input, Path.Combine(FullPath, name))))
                throw NotHere($"{name}, which is read here and must stay");
        }

        var isWorthless = _lock!.LeftNote == _files.Provisional && !HasAnchor();
        var kept = places.FirstOrDefault(name => !(isWorthless && name == _files.Provisional));
        if (!_mayReplace && kept is not null)
            throw Holds(kept);
        if (_files.Provisional is { } provisional)
            _lock.Note = provisional;
    }

    private bool HasAnchor() => _files.Anchors.Any(IsTaken);

    private bool IsTaken(string name)
    {
        var place = Path.Combine(FullPath, name);
        return Path.Exists(place) || new FileInfo(place).LinkTarget is not null;
    }

    private static bool IsNoFolder(string path) =>
        new FileInfo(path).LinkTarget is not null || (Path.Exists(path) && !Directory.Exists(path));

    private UsageException NotHere(string what) => new($"{_given} holds {what}; give another folder.");

    private UsageException Holds(string name)
    {
        var goingOn = HasAnchor() ? ", --resume to continue that run" : "";
        return new($"{_given} holds {name} already; give another folder{goingOn}, or --overwrite to replace it.");
    }

    private static string Shortened(string text) => text.Length <= MostShown
        ? text
        : string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, MostShown)}… ({text.Length} characters)");

    /// <summary>The folders that are not there yet, the innermost on top.</summary>
    private static Stack<string> Missing(string path)
    {
        var missing = new List<string>();
        for (var folder = path; folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
            missing.Add(folder);
        missing.Reverse();
        return new Stack<string>(missing);
    }
}

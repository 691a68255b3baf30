using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Files;

/// <summary>
/// A folder that results go to. It is made and tried before long work starts; when the work fails, the folders that
/// were made for it and the files that were staged in it are gone again.
/// </summary>
internal sealed class OutputFolder : IDisposable
{
    private readonly Stack<string> _made;
    private string? _stage;
    private bool _isKept;

    private OutputFolder(string path, Stack<string> made)
    {
        FullPath = path;
        _made = made;
    }

    public string FullPath { get; }

    /// <summary>A folder inside, on the same disk, for files that appear together; made when first read.</summary>
    public string Stage => _stage ??= Directory.CreateDirectory(Hidden(FullPath)).FullName;

    /// <summary>Makes the folder and tries to write in it.</summary>
    /// <param name="path">The folder as the user gave it.</param>
    /// <returns>The folder, to be disposed.</returns>
    /// <exception cref="UsageException">The folder cannot be written.</exception>
    public static OutputFolder Open(string path)
    {
        var fullPath = Path.GetFullPath(path);
        if (File.Exists(fullPath))
            throw new UsageException($"--out {path} is a file; give a folder.");
        var folder = new OutputFolder(fullPath, Missing(fullPath));
        try
        {
            Directory.CreateDirectory(fullPath);
            var probe = Hidden(fullPath);
            File.Create(probe).Dispose();
            File.Delete(probe);
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            folder.Dispose();
            throw new UsageException($"--out {path} cannot be written ({e.Message}); give another folder.", e);
        }
    }

    /// <summary>Whether a path as given names a folder known by its full path.</summary>
    public static bool IsSame(string path, string other) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)) == Path.TrimEndingDirectorySeparator(other);

    /// <summary>Lets the folder stay, with what lies in it by now; staged files take their places.</summary>
    public void Keep()
    {
        if (_stage is not null)
        {
            foreach (var file in Directory.EnumerateFiles(_stage, "*", SearchOption.AllDirectories))
            {
                var place = Path.Combine(FullPath, Path.GetRelativePath(_stage, file));
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                File.Move(file, place, overwrite: true);
            }
        }

        _isKept = true;
    }

    public void Dispose()
    {
        if (_stage is not null && Directory.Exists(_stage))
            Directory.Delete(_stage, recursive: true);
        while (!_isKept && _made.TryPop(out var folder))
        {
            if (Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
                Directory.Delete(folder);
        }
    }

    private static string Hidden(string folder) => Path.Combine(folder, $".ortpeft-{Guid.NewGuid():n}");

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

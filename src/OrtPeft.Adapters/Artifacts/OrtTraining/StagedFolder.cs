namespace OrtPeft.Adapters.Artifacts.OrtTraining;

/// <summary>Files that take their places together: they are written in a folder inside the target, then moved.</summary>
internal sealed class StagedFolder : IDisposable
{
    private readonly string _folder;
    private readonly string _stage;
    private readonly IReadOnlyList<string> _known;

    /// <summary>Makes the target where it is missing.</summary>
    /// <param name="folder">The target.</param>
    /// <param name="known">Names that files of an earlier set may have; those that are not written again go.</param>
    public StagedFolder(string folder, IReadOnlyList<string> known)
    {
        _folder = Path.GetFullPath(folder);
        _known = known;
        _stage = Directory.CreateDirectory(Path.Combine(_folder, $".ortpeft-{Guid.NewGuid():n}")).FullName;
    }

    /// <summary>Where to write a file.</summary>
    public string PathOf(string name) => Path.Combine(_stage, name);

    /// <summary>Moves the files to their places.</summary>
    /// <returns>Their names, in the order of the known ones.</returns>
    public IReadOnlyList<string> Commit()
    {
        foreach (var name in _known)
        {
            if (File.Exists(PathOf(name)))
                File.Move(PathOf(name), Path.Combine(_folder, name), overwrite: true);
            else
                File.Delete(Path.Combine(_folder, name));
        }

        return [.. _known.Where(n => File.Exists(Path.Combine(_folder, n)))];
    }

    public void Dispose() => Directory.Delete(_stage, recursive: true);
}

namespace OrtPeft.Adapters.Artifacts.OrtTraining;

/// <summary>
/// Files that take their places together: they are written into a folder inside the target, then moved.
/// </summary>
internal sealed class StagedFolder : IDisposable
{
    private readonly string _target;
    private readonly IReadOnlyList<string> _files;

    /// <summary>Makes the target where it is missing.</summary>
    /// <param name="target">Where the files go.</param>
    /// <param name="files">The names that they may have, in the order in which they shall appear; the last one's
    /// presence says that the others are complete.</param>
    public StagedFolder(string target, IReadOnlyList<string> files)
    {
        _target = System.IO.Path.GetFullPath(target);
        _files = files;
        Path = Directory.CreateDirectory(System.IO.Path.Combine(_target, $".ortpeft-{Guid.NewGuid():n}")).FullName;
    }

    /// <summary>Where to write.</summary>
    public string Path { get; }

    /// <summary>Moves the files; those of an earlier time that were not written again go.</summary>
    public void Commit()
    {
        File.Delete(System.IO.Path.Combine(_target, _files[^1]));
        foreach (var name in _files)
        {
            var (written, place) = (System.IO.Path.Combine(Path, name), System.IO.Path.Combine(_target, name));
            if (File.Exists(written))
                File.Move(written, place, overwrite: true);
            else
                File.Delete(place);
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

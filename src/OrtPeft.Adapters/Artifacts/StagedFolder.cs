using OrtPeft.Artifacts;

namespace OrtPeft.Adapters.Artifacts;

/// <summary>
/// Artifact files that take their places together: they are written into a folder inside the target, then moved.
/// </summary>
internal sealed class StagedFolder : IDisposable
{
    private readonly string _target;

    /// <summary>Makes the target where it is missing.</summary>
    /// <param name="target">Where the files go.</param>
    public StagedFolder(string target)
    {
        _target = System.IO.Path.GetFullPath(target);
        Path = Directory.CreateDirectory(System.IO.Path.Combine(_target, $".ortpeft-{Guid.NewGuid():n}")).FullName;
    }

    /// <summary>Where to write.</summary>
    public string Path { get; }

    /// <summary>Moves the files; those of an earlier time that were not written again go.</summary>
    public void Commit()
    {
        File.Delete(System.IO.Path.Combine(_target, ArtifactManifest.FileName));
        foreach (var name in ArtifactFiles.Names)
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

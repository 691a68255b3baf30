using OrtPeft.Tensors.Storage;

namespace OrtPeft.Training.Checkpoints;

/// <summary>A file that training reads as long as it lasts.</summary>
/// <param name="Path">The file.</param>
/// <param name="State">What the file system said of it when it was opened.</param>
internal sealed record BaseFile(string Path, FileState? State)
{
    /// <summary>
    /// Whether it is no longer what it was. One that was removed still is: what was opened stays until it is closed.
    /// </summary>
    public bool HasChanged => FileState.Of(Path) is { } now && State is { } then && now != then;
}

using OrtPeft.Artifacts;

namespace OrtPeft.Cli.Artifacts;

/// <summary>One value of <c>--runtime</c>.</summary>
/// <param name="Name">The value: one of <see cref="ArtifactRuntimes"/>.</param>
/// <param name="Title">What runs such a folder, for the help page.</param>
/// <param name="Write">Writes the folder, and returns its manifest.</param>
internal sealed record ArtifactWriter(string Name, string Title, Func<ArtifactRequest, ArtifactManifest> Write)
{
    /// <summary>In every model.</summary>
    public const string Embed = "embed";

    /// <summary>In one file beside the models.</summary>
    public const string File = "file";

    /// <summary>In the runtime's checkpoint.</summary>
    public const string Checkpoint = "checkpoint";

    /// <summary>Where this writer can put frozen weights.</summary>
    public IReadOnlyList<string> Places { get; init; } = [Embed, File];

    /// <summary>Whether it can build a learning rate into the optimiser's model.</summary>
    public bool FoldsLearningRate { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Title})";
}

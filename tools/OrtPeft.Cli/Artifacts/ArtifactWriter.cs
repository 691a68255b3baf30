using OrtPeft.Artifacts;

namespace OrtPeft.Cli.Artifacts;

/// <summary>One value of <c>--runtime</c>.</summary>
/// <param name="Name">The value: one of <see cref="ArtifactRuntimes"/>.</param>
/// <param name="Title">What runs such a folder, for the help page.</param>
/// <param name="Write">Writes the folder, and returns its manifest.</param>
internal sealed record ArtifactWriter(string Name, string Title, Func<ArtifactRequest, ArtifactManifest> Write)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Title})";
}

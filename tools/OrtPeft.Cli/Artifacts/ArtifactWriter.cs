using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Objectives;

namespace OrtPeft.Cli.Artifacts;

/// <summary>One value of <c>--runtime</c>.</summary>
/// <param name="Name">The value: one of <see cref="ArtifactRuntimes"/>.</param>
/// <param name="Title">What runs such a folder, for the help page.</param>
/// <param name="Write">Writes a model's artifacts into a folder, and returns their manifest.</param>
internal sealed record ArtifactWriter(
    string Name, string Title, Func<PeftModel, IObjective, ArtifactSettings, string, ArtifactManifest> Write)
{
    /// <summary>Where this writer can put frozen weights.</summary>
    public IReadOnlyList<FrozenWeights> Places { get; init; } = [FrozenWeights.Embed, FrozenWeights.File];

    /// <summary>Whether it can build a learning rate into the optimiser's model.</summary>
    public bool FoldsLearningRate { get; init; }

    /// <summary>Whether it can write for what another execution provider lacks.</summary>
    public bool IsForProviders { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Title})";
}

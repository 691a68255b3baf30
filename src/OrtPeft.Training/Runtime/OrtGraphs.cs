using OrtPeft.Artifacts;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Runtime;

/// <summary>Portable graphs to train with, wherever they come from: built in memory, or files of a folder.</summary>
internal sealed record OrtGraphs
{
    /// <summary>What trains, each with its place in the flat vectors.</summary>
    public required IReadOnlyList<ArtifactParameter> Parameters { get; init; }

    /// <summary>The length of the flat vectors.</summary>
    public required long FlatLength { get; init; }

    /// <summary>How many positions the model has before the first token of its input.</summary>
    public required int VirtualTokens { get; init; }

    /// <summary>A parameter's first content, by its name.</summary>
    public required Func<string, Tensor> InitialWeight { get; init; }

    public required Func<RuntimeOptions, GraphSession> OpenTraining { get; init; }

    public required Func<RuntimeOptions, GraphSession> OpenEvaluation { get; init; }

    public required Func<RuntimeOptions, GraphSession> OpenOptimizer { get; init; }
}

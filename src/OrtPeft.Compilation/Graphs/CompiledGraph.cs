using OrtPeft.Artifacts;
using OrtPeft.Compilation.Memory;
using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Graphs;

/// <summary>A graph that was built to run, and what it is fed with and gives.</summary>
/// <param name="Model">The graph.</param>
/// <param name="Contract">Its inputs and outputs with their roles, in the graph's order; no file yet.</param>
public sealed record CompiledGraph(Model Model, ArtifactGraph Contract)
{
    /// <summary>The model's graph.</summary>
    public Graph Graph => Model.Graph;

    /// <summary>The names of the speedups that found nothing to do in a training graph, in order.</summary>
    public IReadOnlyList<string> IdleSpeedups { get; init; } = [];

    /// <summary>The training graph's memory; null if its largest batch is unknown.</summary>
    public MemoryPlan? Memory { get; init; }

    /// <summary>The contract of the graph as a file.</summary>
    /// <param name="file">The file's name in its folder.</param>
    /// <returns>What a manifest says of it.</returns>
    public ArtifactGraph In(string file) => Contract with { File = file };
}

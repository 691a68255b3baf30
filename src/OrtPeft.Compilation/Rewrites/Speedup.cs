using OrtPeft.Kernels;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>A rewrite of a training graph that makes it faster and keeps its results, to rounding.</summary>
/// <param name="Name">What options call it, in lower case with hyphens.</param>
/// <param name="Description">What it does, in half a sentence.</param>
/// <param name="Stage">When it runs.</param>
/// <param name="Run">Does it, in place.</param>
public sealed record Speedup(string Name, string Description, SpeedupStage Stage, Action<GraphBuilder> Run)
{
    /// <summary>Whether it pays only where constant matrices are packed when a session opens, and costs memory where
    /// they are not. Default false.</summary>
    public bool ForPackedWeights { get; init; }

    /// <summary>Whether it uses operators of <see cref="FusedOps"/>, which only processes with their kernels run.
    /// Default false.</summary>
    public bool UsesKernels { get; init; }

    /// <summary>Whether it packs constant matrices itself, so that ONNX Runtime has no need to. Default false.
    /// </summary>
    public bool PacksWeights { get; init; }
}

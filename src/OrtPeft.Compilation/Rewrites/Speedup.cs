using OrtPeft.Kernels;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>A rewrite that makes a training graph faster and keeps its results, up to rounding: fused operators that
/// run as kernels,
/// a rewrite, or both.</summary>
/// <param name="Name">What options call it, in lower case with hyphens.</param>
/// <param name="Description">What it does, in half a sentence.</param>
public sealed record Speedup(string Name, string Description)
{
    /// <summary>The fused operators that run as kernels where they fit; without it they become standard ones.</summary>
    public IReadOnlyList<FusedOp> Operators { get; init; } = [];

    /// <summary>The rewrite before differentiation, in place: the gradient's nodes follow from the rewritten ones. The
    /// graph's results are the loss and where differentiation starts. Null for none.</summary>
    public Action<GraphBuilder>? BeforeGradient { get; init; }

    /// <summary>The rewrite of the differentiated graph, in place, where only kernels' operators are left beside
    /// standard ones. Null for none.</summary>
    public Action<GraphBuilder>? AfterGradient { get; init; }

    /// <summary>The rewrite of the graph in which all values are chosen that are computed again, in place. Null for none.
    /// </summary>
    public Action<GraphBuilder>? AfterRecomputation { get; init; }

    /// <summary>The names of those without which it finds nothing; they stand before it. Default none.</summary>
    public IReadOnlyList<string> Requires { get; init; } = [];

    /// <summary>Whether it pays only where constant matrices are packed when a session opens, and costs memory where
    /// they are not. Default false.</summary>
    public bool ForPackedWeights { get; init; }

    /// <summary>Whether it uses operators that only processes with their kernels run. Default false.</summary>
    public bool UsesKernels { get; init; }

    /// <summary>Whether it packs constant matrices itself, so that ONNX Runtime has no need to. Default false.
    /// </summary>
    public bool PacksWeights { get; init; }

    /// <summary>Whether it is done where products are in bfloat16 alone (<see cref="Speedups.InBf16"/>). Default false.
    /// </summary>
    public bool IsForBf16 { get; init; }

    /// <summary>Whether there is anything that it may do.</summary>
    internal bool DoesSomething =>
        Operators.Count > 0 || (BeforeGradient ?? AfterGradient ?? AfterRecomputation) is not null;
}

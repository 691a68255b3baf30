using OrtPeft.Compilation.Memory;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Compilation.Graphs;

/// <summary>The choices made when a training graph is built.</summary>
public sealed record TrainingGraphOptions
{
    /// <summary>
    /// Whether dropout of the base's own graph, which exports in training mode have, stays live as in PyTorch's
    /// training; the adapter's dropout is its configuration's. Default true.
    /// </summary>
    public bool BaseDropout { get; init; } = true;

    /// <summary>NEFTune's α: noise on what is looked up for the tokens. Above 0; default null, none.</summary>
    public double? NeftuneNoiseAlpha { get; init; }

    /// <summary>The rewrites that make it faster, in order. Default <see cref="Rewrites.Speedups.Portable"/>.</summary>
    public IReadOnlyList<Speedup> Speedups { get; init; } = Rewrites.Speedups.Portable;

    /// <summary>The most that the graph is given at once, for <see cref="CompiledGraph.Memory"/>. Default null: not
    /// known.</summary>
    public PartSize? Part { get; init; }

    /// <summary>The most memory that training may take; values are computed again rather than kept until it fits. Bytes;
    /// default null, no limit. Needs <see cref="Part"/>, and speedups that use kernels.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>The size of the optimiser's state, for <see cref="CompiledGraph.Memory"/>. Bytes; default null: two
    /// numbers for every trained one, as AdamW.</summary>
    public long? OptimizerState { get; init; }

    /// <summary>Whether the gradient of the loss is scaled before its product with the head, on more numbers than after it: small
    /// probabilities then outlive half precision. Default false.</summary>
    public bool ScalesProbabilities { get; init; }

    /// <summary>Whether positions without a label are masked in the loss, at the price of the head's product there. No axis then
    /// depends on what is in a batch, so that a device runs ahead of the machine. Default false: they are left out.</summary>
    public bool MasksLabels { get; init; }

    /// <summary>How live dropout is done; gives the input that fixes its masks, if it adds one.</summary>
    internal Func<Model, ShapeInference, Value?> Dropout { get; init; } = DropoutLowering.ForTraining;
}

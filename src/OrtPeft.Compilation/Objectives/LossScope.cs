using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.Objectives;

/// <summary>The graph and values that an objective works with.</summary>
/// <param name="Builder">Adds nodes to the graph.</param>
/// <param name="Output">The model's first output: logits or predictions.</param>
/// <param name="Scale">What multiplies every gradient, <c>[] float32</c>; null when no gradient is wanted.</param>
/// <param name="Trainable">The values that train; their gradients must be seeded where the objective reads them
/// itself.</param>
/// <param name="VirtualTokens">How many positions the output has before the first input token's. Tokens.</param>
public sealed record LossScope(
    GraphBuilder Builder, Value Output, Value? Scale, IReadOnlySet<Value> Trainable, int VirtualTokens)
{
    /// <summary>The name of the input that is <see cref="Scale"/>.</summary>
    internal const string ScaleInput = "loss_scale";

    /// <summary>See <see cref="Graphs.TrainingGraphOptions.ScalesProbabilities"/>.</summary>
    internal bool ScalesProbabilities { get; init; }

    /// <summary>See <see cref="Graphs.TrainingGraphOptions.MasksLabels"/>.</summary>
    internal bool MasksLabels { get; init; }

    /// <summary>The outputs of the model that could have been the first, for messages.</summary>
    public IReadOnlyList<string> Candidates { get; init; } = [];
}

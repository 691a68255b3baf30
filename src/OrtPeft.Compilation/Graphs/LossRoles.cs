using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Graphs;

/// <summary>The inputs of a graph of the loss that are not data, and what it differentiates at.</summary>
/// <param name="Parameters">What trains, inputs under their own names.</param>
internal sealed record LossRoles(IReadOnlySet<Value> Parameters)
{
    /// <summary>The factor of every gradient; null without gradients.</summary>
    public Value? Scale { get; init; }

    /// <summary>The seed of the dropout masks; null without live dropout.</summary>
    public Value? DropoutSeed { get; init; }

    /// <summary>The inputs whose gradients are the outputs after loss and count, in order.</summary>
    public IReadOnlyList<Value> Gradients { get; init; } = [];
}

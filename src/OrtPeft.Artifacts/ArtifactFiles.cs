namespace OrtPeft.Artifacts;

/// <summary>Files of an artifact folder that are no models, relative to it.</summary>
public sealed record ArtifactFiles
{
    /// <summary>The name of the file with weights that do not train.</summary>
    public const string FrozenWeights = "frozen_weights.bin";

    /// <summary>
    /// Initial weights as safetensors: every parameter by its name, and tensors that do not train but are saved with
    /// the adapter. Null (default) where a checkpoint holds them.
    /// </summary>
    public string? Weights { get; init; }

    /// <summary>The adapter's configuration as HF PEFT writes it; null (default) where there is none.</summary>
    public string? Config { get; init; }

    /// <summary>ONNX Runtime's training checkpoint; null (default) where there is none.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>
    /// Files that models point into as their external data: frozen weights, held once for all models. They must lie
    /// beside the models; in a browser they are handed over with the model. Empty by default.
    /// </summary>
    public IReadOnlyList<string> ExternalData { get; init; } = [];
}

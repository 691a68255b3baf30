namespace OrtPeft.Adapters.Artifacts.OrtTraining;

/// <summary>What was written for ONNX Runtime's training API.</summary>
/// <param name="Folder">Where.</param>
/// <param name="Files">The files' names; models, checkpoint, and external data where there is some.</param>
public sealed record OrtTrainingSet(string Folder, IReadOnlyList<string> Files)
{
    /// <summary>What an application feeds to both models, in their order, such as <c>input_ids</c>.</summary>
    public required IReadOnlyList<string> UserInputs { get; init; }

    /// <summary>The first output of both models: the mean loss of the batch's supervised elements.</summary>
    public required string LossOutput { get; init; }

    /// <summary>The checkpoint's trainable parameters in the models' order, by the adapter's names on disk.</summary>
    public required IReadOnlyList<string> Trainable { get; init; }

    /// <summary>The checkpoint's frozen parameters in the models' order; empty where weights are
    /// initializers.</summary>
    public required IReadOnlyList<string> Frozen { get; init; }
}

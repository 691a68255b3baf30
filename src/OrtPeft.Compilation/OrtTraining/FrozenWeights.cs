namespace OrtPeft.Compilation.OrtTraining;

/// <summary>Where the base's weights stand in a set for ONNX Runtime's training API.</summary>
public enum FrozenWeights
{
    /// <summary>
    /// In the checkpoint, as parameters that do not train: on disk once, in memory once, for the training and the
    /// evaluation model share them. The web API, which loads no files beside a model, holds large bases in no other
    /// way. Each checkpoint that the API saves holds the base too.
    /// </summary>
    Checkpoint,

    /// <summary>
    /// In both models, as constants that ONNX Runtime can fold, up to 2 GiB: checkpoints hold the adapter alone, and
    /// the base is on disk twice and in memory twice.
    /// </summary>
    Embed,

    /// <summary>
    /// As constants, in one file beside the models that both point into: checkpoints hold the adapter alone, and the
    /// base is on disk once. Not for the web API, which cannot load the file.
    /// </summary>
    File,
}

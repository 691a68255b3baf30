namespace OrtPeft.Compilation.Artifacts;

/// <summary>Where the base's weights stand in an artifact folder.</summary>
public enum FrozenWeights
{
    /// <summary>
    /// For ONNX Runtime's training API alone: in the checkpoint, as parameters that do not train. On disk once, in
    /// memory once, for the training and the evaluation model share them. The web API, which loads no files beside a
    /// model, holds large bases in no other way. Each checkpoint that the API saves holds the base too. Packed 4-bit
    /// weights, which a checkpoint cannot hold, are constants.
    /// </summary>
    Checkpoint,

    /// <summary>
    /// In both models, as constants that ONNX Runtime can fold, up to 2 GiB, so that a page or app loads single files:
    /// the base is on disk twice and in memory twice.
    /// </summary>
    Embed,

    /// <summary>
    /// As constants, in one file beside the models that both point into: the base is on disk once. Not for the training
    /// API on the web, which cannot load the file.
    /// </summary>
    File,
}

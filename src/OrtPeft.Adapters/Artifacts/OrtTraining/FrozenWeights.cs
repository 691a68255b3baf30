namespace OrtPeft.Adapters.Artifacts.OrtTraining;

/// <summary>Where the base's weights stand in a set for ONNX Runtime's training API.</summary>
public enum FrozenWeights
{
    /// <summary>
    /// In the checkpoint, as parameters that do not train: on disk once, in memory once, for the training and the
    /// evaluation model share them. The web API, which loads no files beside a model, takes large bases in no other
    /// way. Each checkpoint that the API saves holds the base too.
    /// </summary>
    Parameters,

    /// <summary>
    /// In both models, as constants that ONNX Runtime can fold: checkpoints hold the adapter alone. Over 1 GiB both
    /// models read one file of external data, which the web API cannot load; up to there each holds its own copy.
    /// </summary>
    Initializers,
}

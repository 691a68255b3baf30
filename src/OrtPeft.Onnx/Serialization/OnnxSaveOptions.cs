namespace OrtPeft.Onnx.Serialization;

/// <summary>Where a saved model's weights go.</summary>
public sealed record OnnxSaveOptions
{
    private const long EmbedUpTo = 1L << 30;

    /// <summary>
    /// True: weights go to <c>NAME.onnx.data</c> beside the model. False: all into the model, up to 2 GiB. Null
    /// (default):
    /// external when the weights take more than 1 GiB.
    /// </summary>
    public bool? ExternalData { get; init; }

    /// <summary>With external data, constants of fewer bytes stay in the model. Default 1024 bytes.</summary>
    public long ExternalThresholdBytes { get; init; } = 1024;

    internal bool UsesExternalData(Model model) =>
        ExternalData ?? model.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length) > EmbedUpTo;
}

namespace OrtPeft.Onnx.Decoders;

/// <summary>Values of <see cref="DecoderNames.Labels"/> that are not tokens.</summary>
internal static class DecoderLabels
{
    /// <summary>The label of a position without a loss, as in HF's and PyTorch's: −100.</summary>
    public const int Ignored = -100;
}

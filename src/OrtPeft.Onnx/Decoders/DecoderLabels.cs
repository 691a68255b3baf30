namespace OrtPeft.Onnx.Decoders;

/// <summary>What <see cref="DecoderNames.Labels"/> holds beside tokens.</summary>
internal static class DecoderLabels
{
    /// <summary>The label of a position without a loss, as in HF's and PyTorch's: −100.</summary>
    public const int Ignored = -100;
}

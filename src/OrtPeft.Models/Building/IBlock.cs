using OrtPeft.Onnx;

namespace OrtPeft.Models.Building;

/// <summary>A decoder's layer.</summary>
internal interface IBlock
{
    /// <summary>The weights, in the order in which the layer uses them.</summary>
    IEnumerable<WeightSpec> Weights { get; }

    /// <summary>Adds the layer's nodes.</summary>
    /// <param name="decoder">The graph.</param>
    /// <param name="hidden">The hidden states, <c>[batch · sequence, hidden]</c>.</param>
    /// <param name="shared">What the attention of all layers reads.</param>
    /// <returns>The next hidden states.</returns>
    Value Apply(DecoderGraph decoder, Value hidden, SharedAttention shared);
}

using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Building;

/// <summary>
/// GPT-2's eager masks in HF, made once and read by every layer. A hidden key gets the lowest float32: in place of the
/// score where the causal condition fails, and added to it where the attention mask is 0. A key hidden in both ways is
/// at −∞; a row whose keys are all hidden once attends to them evenly, also to later ones. Padded rows thus agree with
/// HF's.
/// </summary>
internal sealed class CausalMask
{
    private readonly Value _causal;
    private readonly Value _padding;
    private readonly Value _lowest;

    private CausalMask(Value causal, Value padding, Value lowest)
    {
        _causal = causal;
        _padding = padding;
        _lowest = lowest;
    }

    /// <summary>Builds the masks.</summary>
    /// <param name="decoder">The graph that reads the tokens, the past and the attention mask.</param>
    public static CausalMask Build(DecoderGraph decoder)
    {
        var g = decoder.Builder;
        var causal = decoder.IsNotLater();
        var lowest = g.Scalar(ElementType.Float, float.MinValue);
        var seen = g.Cast(g.Unsqueeze(decoder.Attention, 1, 2), ElementType.Float);
        var padding = g.Mul(g.Sub(g.Scalar(ElementType.Float, 1), seen), lowest);
        return new CausalMask(causal, padding, lowest);
    }

    /// <summary>Hides scores, <c>[batch, heads, sequence, past + sequence]</c>.</summary>
    public Value Apply(GraphBuilder g, Value scores) => g.Add(g.Where(_causal, scores, _lowest), _padding);
}

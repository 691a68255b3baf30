using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Building;

/// <summary>
/// HF's eager masks, made once and read by every layer. A hidden key gets the lowest float32: in place of the score
/// where the causal condition fails, and added to it where the attention mask is 0. A key hidden in both ways is at −∞;
/// a row whose keys are all hidden once attends to them evenly, also to later ones. Padded rows thus agree with HF's.
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
    /// <param name="g">The builder.</param>
    /// <param name="hidden">
    /// The embedded tokens, <c>[batch, sequence, hidden]</c>: their axis 1 counts the queries.
    /// </param>
    /// <param name="pastKey">
    /// A past key, <c>[batch, heads, past, head_dim]</c>: its axis 2 counts the keys before.
    /// </param>
    /// <param name="attentionMask"><c>[batch, past + sequence] int64</c>, 1 for keys to see.</param>
    public static CausalMask Build(GraphBuilder g, Value hidden, Value pastKey, Value attentionMask)
    {
        var past = Length(g, pastKey, axis: 2);
        var total = g.Add(past, Length(g, hidden, axis: 1));
        var step = g.Int64Scalar(1);
        var queries = g.Unsqueeze(g.Op("Range", past, total, step), 1);
        var keys = g.Unsqueeze(g.Op("Range", g.Int64Scalar(0), total, step), 0);
        var lowest = g.Scalar(ElementType.Float, float.MinValue);
        var seen = g.Cast(g.Unsqueeze(attentionMask, 1, 2), ElementType.Float);
        var padding = g.Mul(g.Sub(g.Scalar(ElementType.Float, 1), seen), lowest);
        return new CausalMask(g.Op("LessOrEqual", keys, queries), padding, lowest);
    }

    /// <summary>Hides scores, <c>[batch, heads, sequence, past + sequence]</c>.</summary>
    public Value Apply(GraphBuilder g, Value scores) => g.Add(g.Where(_causal, scores, _lowest), _padding);

    private static Value Length(GraphBuilder g, Value value, long axis)
    {
        var length = g.Op("Shape", [value], NodeAttribute.Of("start", axis), NodeAttribute.Of("end", axis + 1));
        return g.Squeeze(length, 0);
    }
}

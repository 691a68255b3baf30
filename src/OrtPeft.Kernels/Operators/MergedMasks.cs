using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Operators;

/// <summary>The causal and the padding mask in one, <c>Where(causal, 0, low) + padding</c>, made once for all layers.
/// </summary>
/// <remarks>The scores are the same bits: added to a number beyond 2¹⁰⁰, they vanish in rounding.</remarks>
internal sealed class MergedMasks(GraphBuilder g)
{
    private readonly Dictionary<(Value Causal, Value Low, Value? Padding), Value> _masks = [];
    private readonly Dictionary<Value, Value> _seen = [];

    /// <summary>What is added to scores, and where the mask does not replace them: ones and zeros, or null where it
    /// replaces none.</summary>
    public (Value Mask, Value? Seen) Of(MaskedScores scores)
    {
        if (scores is not { Causal: { } causal, Low: { } low })
            return (scores.Padding!, null);
        if (!_masks.TryGetValue((causal, low, scores.Padding), out var mask))
        {
            mask = g.Where(causal, g.ScalarLike(low, 0), low);
            if (scores.Padding is { } padding)
                mask = g.Add(mask, padding);
            _masks.Add((causal, low, scores.Padding), mask);
        }

        if (!_seen.TryGetValue(causal, out var seen))
            _seen.Add(causal, seen = g.Cast(causal, scores.S.Type));
        return (mask, seen);
    }
}

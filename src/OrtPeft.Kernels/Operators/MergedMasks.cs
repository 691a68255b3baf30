using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>The causal and the padding mask in one, <c>Where(causal, 0, low) + padding</c>, made once for all layers.
/// </summary>
/// <remarks>The scores are the same bits: added to a number beyond 2¹⁰⁰, they vanish in rounding.</remarks>
internal sealed class MergedMasks(GraphBuilder g)
{
    private readonly Dictionary<(Value Causal, bool Hides, Value Low, Value? Padding), Value> _masks = [];
    private readonly Dictionary<(Value Causal, bool Hides, ElementType Type), Value> _seen = [];

    /// <summary>The mask to add to the scores, and ones where scores stay, zeros where the mask replaces them; null
    /// where it replaces none.</summary>
    public (Value Mask, Value? Seen) Of(MaskedScores scores)
    {
        if (scores is not { Causal: { } causal, Low: { } low })
            return (scores.Padding!, null);
        var (hides, type) = (scores.Hides, scores.S.Type);
        if (!_masks.TryGetValue((causal, hides, low, scores.Padding), out var mask))
        {
            var zero = g.ScalarLike(low, 0);
            mask = hides ? g.Where(causal, low, zero) : g.Where(causal, zero, low);
            if (scores.Padding is { } padding)
                mask = g.Add(mask, padding);
            _masks.Add((causal, hides, low, scores.Padding), mask);
        }

        if (!_seen.TryGetValue((causal, hides, type), out var seen))
            _seen.Add((causal, hides, type), seen = g.Cast(hides ? g.Op("Not", causal) : causal, type));
        return (mask, seen);
    }
}

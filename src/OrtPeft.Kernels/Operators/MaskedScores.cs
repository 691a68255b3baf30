using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>Scores [batch, heads, queries, keys], or with heads in groups on two axes, as exporters mask them.
/// </summary>
/// <param name="S">The scores before.</param>
/// <param name="Causal">Where a score stays, of bool, in <c>Where(causal, S, low)</c>; null where there is none.</param>
/// <param name="Low">What stands elsewhere.</param>
/// <param name="Padding">What is added then; null where there is nothing.</param>
internal sealed record MaskedScores(Value S, Value? Causal, Value? Low, Value? Padding)
{
    private const int Axes = 4;

    /// <summary>Numbers at most this make scores vanish in rounding: those are far from 2¹⁰⁰.</summary>
    private const double Lowest = -1e30;

    /// <summary>What the mask is made of.</summary>
    public IEnumerable<Value> Masks => new[] { Causal, Low, Padding }.OfType<Value>();

    /// <summary>Takes masked scores apart; null where they are of another form, or something else reads them.</summary>
    public static MaskedScores? Of(Value masked)
    {
        if (masked is not { Shape.Rank: Axes or GroupedHeads.Axes, IsGraphOutput: false, Uses.Count: 1 }
            || !masked.Type.IsFloating())
            return null;
        if (Replaced(masked) is var (s, causal, low))
            return new MaskedScores(s, causal, low, null);
        if (masked.Producer is not { } add || !add.Is("Add"))
            return null;
        for (var side = 0; side < 2; side++)
        {
            var (first, padding) = (add.Inputs[side]!, add.Inputs[1 - side]!);
            if (first.Uses.Count == 1 && IsForAllHeads(padding) && Replaced(first) is var (inner, where, lowest))
                return new MaskedScores(inner, where, lowest, padding);
        }

        var (scores, mask) = (add.Inputs[0]!, add.Inputs[1]!);
        var isMask = scores.Shape?.Rank == masked.Shape!.Rank && mask.Shape?.Rank <= masked.Shape.Rank
            && scores.Initializer is null;
        return isMask && IsAsLargeAs(scores, masked) ? new MaskedScores(scores, null, null, mask) : null;
    }

    private static (Value S, Value Causal, Value Low)? Replaced(Value masked) =>
        masked is { IsGraphOutput: false, Shape.Rank: Axes, Producer: { } where } && where.Is("Where")
        && where.Inputs[1] is { Shape.Rank: Axes } s && IsAsLargeAs(s, masked)
        && IsLow(where.Inputs[2]!) && IsForAllHeads(where.Inputs[0]!)
            ? (s, where.Inputs[0]!, where.Inputs[2]!)
            : null;

    /// <summary>Whether no axis of the scores is broadcast by their mask.</summary>
    private static bool IsAsLargeAs(Value scores, Value masked) =>
        scores.Shape!.Zip(masked.Shape!).All(static pair => pair.First.Value != 1 || pair.Second.Value == 1);

    private static bool IsLow(Value value) =>
        value.Constant is { Count: 1 } number && number.Type.IsFloating() && number.ToFloat32()[0] <= Lowest;

    /// <summary>Whether a mask has no axis of heads, so that merging it once is worth it: [batch, 1, rows, columns].
    /// </summary>
    private static bool IsForAllHeads(Value mask) =>
        mask.Shape is { } shape && (shape.Rank < 3 || shape[shape.Rank - 3].Value == 1);
}

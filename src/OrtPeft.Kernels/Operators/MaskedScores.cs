using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Operators;

/// <summary>Scores [batch, heads, queries, keys], or with heads in groups on two axes, as exporters mask them.
/// </summary>
/// <param name="S">The scores before.</param>
/// <param name="Causal">Where a score stays, of bool, in <c>Where(causal, S, low)</c>, or where it goes, in
/// <c>Where(causal, low, S)</c>; null where there is none.</param>
/// <param name="Hides">Whether it is the second.</param>
/// <param name="Low">What stands elsewhere.</param>
/// <param name="Padding">What is added then; null where there is nothing.</param>
internal sealed record MaskedScores(Value S, Value? Causal, bool Hides, Value? Low, Value? Padding)
{
    private const int Axes = 4;

    /// <summary>Numbers at most this make scores vanish in rounding: those are far from 2¹⁰⁰.</summary>
    private const double Lowest = -1e30;

    /// <summary>The values that the mask is made of.</summary>
    public IEnumerable<Value> Masks => new[] { Causal, Low, Padding }.OfType<Value>();

    /// <summary>Takes masked scores apart; null where they are of another form, or something else reads them.</summary>
    public static MaskedScores? Of(Value masked)
    {
        if (masked is not { Shape.Rank: Axes or GroupedHeads.Axes, IsGraphOutput: false, Uses.Count: 1 }
            || !masked.Type.IsFloating())
            return null;
        if (Replaced(masked) is { } replaced)
            return replaced;
        if (masked.Producer is not { } add || !add.Is("Add"))
            return null;
        for (var side = 0; side < 2; side++)
        {
            var (first, padding) = (add.Inputs[side]!, add.Inputs[1 - side]!);
            if (first.Uses.Count == 1 && IsForAllHeads(padding) && Replaced(first) is { } inner)
                return inner with { Padding = padding };
        }

        var (scores, mask) = (add.Inputs[0]!, add.Inputs[1]!);
        var isMask = scores.Shape?.Rank == masked.Shape!.Rank && mask.Shape?.Rank <= masked.Shape.Rank
            && scores.Initializer is null;
        return isMask && IsAsLargeAs(scores, masked) ? new MaskedScores(scores, null, false, null, mask) : null;
    }

    private static MaskedScores? Replaced(Value masked)
    {
        if (masked is not { IsGraphOutput: false, Shape.Rank: Axes, Producer: { } where } || !where.Is("Where")
            || !IsForAllHeads(where.Inputs[0]!))
            return null;
        var hides = IsLow(where.Inputs[1]!);
        var (s, low) = hides ? (where.Inputs[2]!, where.Inputs[1]!) : (where.Inputs[1]!, where.Inputs[2]!);
        return s is { Shape.Rank: Axes } && IsAsLargeAs(s, masked) && IsLow(low)
            ? new MaskedScores(s, where.Inputs[0], hides, low, null)
            : null;
    }

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

using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Contrib;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// A sliding window in a layer's mask: a key is seen where its place is above the query's less the size, k &gt; q − size. What
/// stands before the sequence falls out of it like any other key.
/// </summary>
/// <param name="Queries">The queries' places, <c>[…, sequence, 1]</c>; null where they are counted from the first.</param>
/// <param name="Size">How many keys a query sees, itself included.</param>
/// <param name="First">The place of the first token among <paramref name="Queries"/>.</param>
internal sealed record AttentionWindow(Value? Queries, long Size, long First)
{
    /// <summary>The narrowest window in the masks of some scores, or null.</summary>
    /// <exception cref="ConfigException">A mask depends on places in a form that is not known.</exception>
    public static AttentionWindow? Of(ScorePath scores, ShapeInference shapes)
    {
        var (seen, places) = (new HashSet<(Value, bool)>(), new PlaceCounts(shapes));
        var open = new Stack<(Value, bool)>(scores.Masks.Select(static m => (m, false)));
        (AttentionWindow? narrowest, SymbolicInteger? past) = (null, null);
        while (open.TryPop(out var next))
        {
            if (!seen.Add(next))
                continue;
            var (value, isTurned) = next;
            var window = value.Constant is { } constant ? BandedMask.Window(value, constant) : null;
            if (value.Producer is { Domain: "" } node && !node.Is("Shape") && !node.Is("MatMul"))
            {
                if ((PlaceComparison.Bound(node, places) ?? BandedMask.Bound(node, places)) is { } found)
                {
                    var bound = isTurned ? found.Turned() : found;
                    if (bound.IsAhead || !bound.Past.Equals(past ??= bound.Past))
                        throw MaskBound.Unknown(node);
                    window ??= bound.Window;
                }

                foreach (var input in node.Inputs.OfType<Value>())
                    open.Push((input, isTurned ^ TurnsSquare(node)));
            }

            if (window is not null && !(narrowest?.Size <= window.Size))
                narrowest = window;
        }

        return narrowest;
    }

    /// <summary>Whether rows become columns.</summary>
    private static bool TurnsSquare(Node node)
    {
        if (!node.Is("Transpose") || node.Inputs[0]!.Shape is not { Rank: > 1 and var rank } shape)
            return false;
        var order = node.Attributes.Ints("perm") ?? [.. Enumerable.Range(1, rank).Select(i => (long)rank - i)];
        return order[^1] == rank - 2 && order[^2] == rank - 1 && shape.TakeLast(2).All(static d => d.Value != 1);
    }

    /// <summary>Hides the keys of a prefix, at places 0 to P − 1, from the queries that are too far behind them.</summary>
    /// <param name="g">Adds the nodes.</param>
    /// <param name="scores">The scores of the prefix, <c>[batch, heads…, sequence, P]</c>.</param>
    /// <param name="own">The scores of the graph's own keys, <c>[batch, heads…, sequence, total]</c>.</param>
    /// <exception cref="ConfigException">The places are on axes that do not fit those of the scores.</exception>
    public Value Hide(GraphBuilder g, Value scores, Value own)
    {
        var count = scores.Shape![scores.Shape.Rank - 1].Value!.Value;
        var queries = Queries is null ? Counted(g, own) : Fitting(g, Queries, scores.Shape);
        var places = Tensor.Of<long>([.. Enumerable.Range(0, (int)count).Select(static i => (long)i)], [1, count]);
        var limits = g.Add(queries, count - Size - First);
        var isSeen = g.Op("Greater", g.Cast(g.Constant(places, "places"), queries.Type), limits);
        return g.Where(isSeen, scores, g.ScalarLike(scores, AttentionMasks.Lowest(scores.Type)));
    }

    /// <summary>The queries' places with the batch, where they have one, on the axis of the scores' batch.</summary>
    private Value Fitting(GraphBuilder g, Value queries, Shape scores)
    {
        var before = queries.Shape!.SkipLast(2).ToArray();
        if (before.All(static d => d.Value == 1) || queries.Shape!.Rank == scores.Rank)
            return queries;
        if (before.Length < scores.Rank - 2 && before.Skip(1).All(static d => d.Value == 1))
            return g.Unsqueeze(queries, [.. Enumerable.Range(1, scores.Rank - 2 - before.Length).Select(static a => (long)a)]);
        throw new ConfigException(
            $"The attention sees {Size} keys, counted by {queries} for scores {scores}, whose axes are others, so that a "
            + "prefix cannot fall out of what it sees; choose prompt-tuning.");
    }

    /// <summary>The places of the last tokens, whose scores these are, <c>[sequence, 1]</c>.</summary>
    private static Value Counted(GraphBuilder g, Value own)
    {
        var rank = own.Shape!.Rank;
        var shape = g.Shape(own);
        var (length, total) = (g.Gather(shape, g.Int64Scalar(rank - 2)), g.Gather(shape, g.Int64Scalar(rank - 1)));
        return g.Unsqueeze(g.Op("Range", g.Sub(total, length), total, g.Int64Scalar(1)), 1);
    }
}

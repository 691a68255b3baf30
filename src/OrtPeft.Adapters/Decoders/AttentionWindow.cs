using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Contrib;
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
    public static AttentionWindow? Of(ScorePath scores)
    {
        var (seen, open) = (new HashSet<Value>(), new Stack<Value>(scores.Masks));
        AttentionWindow? narrowest = null;
        while (open.TryPop(out var value))
        {
            if (!seen.Add(value))
                continue;
            var window = value.Constant is { } constant ? BandedMask.Window(constant) : null;
            if (value.Producer is { Domain: "" } node && !node.Is("Shape"))
            {
                window ??= PlaceComparison.Window(node) ?? BandedMask.Window(node);
                foreach (var input in node.Inputs.OfType<Value>())
                    open.Push(input);
            }

            if (window is not null && !(narrowest?.Size <= window.Size))
                narrowest = window;
        }

        return narrowest;
    }

    /// <summary>Hides the keys of a prefix, at places 0 to P − 1, from the queries that are too far behind them.</summary>
    /// <param name="g">Adds the nodes.</param>
    /// <param name="scores">The scores of the prefix, <c>[batch, heads…, sequence, P]</c>.</param>
    /// <exception cref="ConfigException">The places are on axes that do not fit those of the scores.</exception>
    public Value Hide(GraphBuilder g, Value scores)
    {
        var count = scores.Shape![scores.Shape.Rank - 1].Value!.Value;
        var queries = Queries ?? Counted(g, scores);
        var isForEachRow = queries.Shape!.SkipLast(2).Any(static d => d.Value != 1);
        if (isForEachRow && queries.Shape!.Rank != scores.Shape.Rank)
            throw new ConfigException(
                $"The attention sees {Size} keys, counted by {queries} for scores {scores}, whose axes are others, so that a "
                + "prefix cannot fall out of what it sees; choose prompt-tuning.");
        var places = Tensor.Of<long>([.. Enumerable.Range(0, (int)count).Select(static i => (long)i)], [1, count]);
        var limits = g.Add(queries, count - Size - First);
        var isSeen = g.Op("Greater", g.Cast(g.Constant(places, "places"), queries.Type), limits);
        return g.Where(isSeen, scores, g.ScalarLike(scores, AttentionMasks.Lowest(scores.Type)));
    }

    /// <summary>0, 1, 2, … for the rows of scores, <c>[sequence, 1]</c>.</summary>
    private static Value Counted(GraphBuilder g, Value scores)
    {
        var length = g.Gather(g.Shape(scores), g.Int64Scalar(scores.Shape!.Rank - 2));
        return g.Unsqueeze(g.Op("Range", g.Int64Scalar(0), length, g.Int64Scalar(1)), 1);
    }
}

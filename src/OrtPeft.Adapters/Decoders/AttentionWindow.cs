using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Contrib;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// A sliding window in a layer's mask: a key is seen where its place is above the query's less the size, key &gt; query − size
/// or key + size &gt; query. What stands before the sequence falls out of it like any other key.
/// </summary>
/// <param name="Queries">The queries' places, <c>[…, sequence, 1]</c>.</param>
/// <param name="Size">How many keys a query sees, itself included.</param>
internal sealed record AttentionWindow(Value Queries, long Size)
{
    /// <summary>The narrowest window in the masks of some scores, or null.</summary>
    public static AttentionWindow? Of(ScorePath scores)
    {
        var (seen, open) = (new HashSet<Node>(), new Stack<Value>(scores.Masks));
        AttentionWindow? narrowest = null;
        while (open.TryPop(out var value))
        {
            if (value.Producer is not { Domain: "" } node || node.Is("Shape") || !seen.Add(node))
                continue;
            if (Of(node) is { } window && !(narrowest?.Size <= window.Size))
                narrowest = window;
            foreach (var input in node.Inputs.OfType<Value>())
                open.Push(input);
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
        var isForEachRow = Queries.Shape!.SkipLast(2).Any(static d => d.Value != 1);
        if (isForEachRow && Queries.Shape!.Rank != scores.Shape.Rank)
            throw new ConfigException(
                $"The attention sees {Size} keys, counted by {Queries} for scores {scores}, whose axes are others, so that a "
                + "prefix cannot fall out of what it sees; choose prompt-tuning.");
        var places = Tensor.Of<long>([.. Enumerable.Range(0, (int)count).Select(static i => (long)i)], [1, count]);
        var limits = g.Add(Queries, count - Size);
        var isSeen = g.Op("Greater", g.Cast(g.Constant(places, "places"), Queries.Type), limits);
        return g.Where(isSeen, scores, g.ScalarLike(scores, AttentionMasks.Lowest(scores.Type)));
    }

    /// <summary>Reads a comparison of places.</summary>
    private static AttentionWindow? Of(Node node)
    {
        if (node.OpType is not ("Greater" or "GreaterOrEqual" or "Less" or "LessOrEqual"))
            return null;
        var isLess = node.OpType.StartsWith("Less", StringComparison.Ordinal);
        var (above, below) = (node.Inputs[isLess ? 1 : 0]!, node.Inputs[isLess ? 0 : 1]!);
        var (keys, added) = Moved(above, "Add");
        var (queries, taken) = Moved(below, "Sub");
        var size = added + taken + (node.OpType.EndsWith("OrEqual", StringComparison.Ordinal) ? 1 : 0);
        return size > 1 && IsColumn(queries) && !IsColumn(keys) ? new AttentionWindow(queries, size) : null;
    }

    /// <summary>A value and the number that is added to or taken from it.</summary>
    private static (Value Value, long By) Moved(Value value, string operation) =>
        value.Producer is { } node && node.Is(operation) && node.Inputs[1]?.Constant is { Count: 1 } by
        && by.Type is ElementType.Int64 or ElementType.Int32
            ? (node.Inputs[0]!, by.ToInt64()[0])
            : (value, 0);

    private static bool IsColumn(Value value) => value.Shape is { Rank: > 1 } shape && shape[shape.Rank - 1].Value == 1;
}

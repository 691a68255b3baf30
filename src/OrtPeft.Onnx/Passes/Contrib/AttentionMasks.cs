using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>The masks of ONNX Runtime's attention operators, as numbers to add to the scores.</summary>
internal static class AttentionMasks
{
    /// <summary>
    /// The mask that hides padding: <c>[batch, total]</c> or <c>[batch, sequence, total]</c> with 1 for tokens that
    /// count, or <c>[batch]</c> with the tokens' number, or <c>[2·batch]</c> with ends, then starts.
    /// </summary>
    /// <returns>0 or the filter's number, broadcastable to <c>[batch, heads, sequence, total]</c>.</returns>
    public static Value Padding(Node node, GraphBuilder g, Value mask, Value keys, ElementType type)
    {
        var filter = node.Attributes.Float("mask_filter_value", -10000);
        return mask.Shape?.Rank switch
        {
            1 => g.Unsqueeze(Additive(g, Between(g, mask, keys), type, filter), 1, 2),
            2 => g.Unsqueeze(Additive(g, IsOn(g, mask), type, filter), 1, 2),
            3 => g.Unsqueeze(Additive(g, IsOn(g, mask), type, filter), 1),
            _ => throw ContribOps.Refusal(node, $"a mask {mask}"),
        };
    }

    /// <summary>
    /// Hides the future: the queries are the last of the keys, and the lowest number replaces what padding says.
    /// </summary>
    /// <returns>Numbers to add to the scores, as those of <see cref="Padding"/>.</returns>
    public static Value WithoutFuture(GraphBuilder g, Value queries, Value keys, Value? padding) =>
        g.Where(
            IsNotLater(g, queries, keys),
            padding ?? g.ScalarLike(queries, 0),
            g.ScalarLike(queries, Lowest(queries.Type)));

    /// <summary>The lowest finite number of a type.</summary>
    public static double Lowest(ElementType type) =>
        type == ElementType.Float16 ? (double)Half.MinValue : float.MinValue;

    /// <summary>Whether a key stands at or before a query, <c>[sequence, total] bool</c>.</summary>
    /// <param name="g">Adds the nodes.</param>
    /// <param name="queries"><c>[batch, heads, sequence, width]</c>.</param>
    /// <param name="keys"><c>[batch, heads, total, width]</c>.</param>
    public static Value IsNotLater(GraphBuilder g, Value queries, Value keys)
    {
        var (sequence, total) = (Lengths.Of(g, queries, 2), Lengths.Of(g, keys, 2));
        var query = g.Unsqueeze(Lengths.QueryPlaces(g, sequence, total), 1);
        return Lengths.CountTo(g, total) <= query;
    }

    private static Value IsOn(GraphBuilder g, Value mask) => g.Term(mask) > 0;

    /// <summary>start ≤ key &lt; end; with ends alone, the starts are zeros appended to them.</summary>
    private static Value Between(GraphBuilder g, Value mask, Value keys)
    {
        var batch = g.Unsqueeze(Lengths.Of(g, keys, 0), 0);
        var bounds = g.Cast(mask, ElementType.Int64);
        var zeros = g.Expand(g.Int64(0), batch);
        var ends = g.Op("Slice", bounds, g.Int64(0), batch);
        var starts = g.Op("Slice", g.Concat(0, bounds, zeros), batch, g.Term(batch) * g.Int64(2));
        var key = Lengths.CountTo(g, Lengths.Of(g, keys, 2));
        return (key < g.Unsqueeze(ends, 1)) & (key >= g.Unsqueeze(starts, 1));
    }

    private static Value Additive(GraphBuilder g, Value isSeen, ElementType type, double filter) =>
        g.Where(isSeen, g.Scalar(type, 0), g.Scalar(type, filter));
}

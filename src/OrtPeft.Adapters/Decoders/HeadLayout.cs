using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// The axes that heads have in a graph: one, or two where groups of query heads share a key head, or as many copies of
/// each key head as a group has.
/// </summary>
internal static class HeadLayout
{
    /// <summary>The number of heads of <c>[batch, heads…, a, b]</c>, or null when it is not known.</summary>
    public static long? CountOf(Value value)
    {
        if (value.Shape is not { Rank: >= 4 } shape)
            return null;
        var axes = shape.Skip(1).SkipLast(2).ToArray();
        return axes.All(static a => a.Value is not null)
            ? axes.Aggregate(1L, static (n, a) => n * a.Value!.Value)
            : null;
    }

    /// <summary>Gives heads the axes that another value has them on, with one axis for the batch.</summary>
    /// <param name="g">Adds the nodes.</param>
    /// <param name="heads"><c>[key heads, a, b]</c>, all known.</param>
    /// <param name="like"><c>[batch, heads…, a, b]</c>; CountOf knows its heads, and groups divide them.</param>
    /// <returns><c>[1, heads…, a, b]</c>.</returns>
    public static Value Like(GraphBuilder g, Value heads, Value like)
    {
        var (count, a, b) = (Length(heads, 0), Length(heads, 1), Length(heads, 2));
        var repeats = CountOf(like)!.Value / count;
        if (repeats > 1)
            heads = g.Expand(g.Unsqueeze(heads, 1), g.Int64(1, repeats, 1, 1));
        var axes = like.Shape!.Skip(1).SkipLast(2).Select(static d => d.Value!.Value);
        return g.Reshape(heads, [1, .. axes, a, b]);
    }

    private static long Length(Value value, int axis) => value.Shape![axis].Value!.Value;
}

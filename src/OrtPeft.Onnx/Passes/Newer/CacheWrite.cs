using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Contrib;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes.Newer;

/// <summary>
/// <c>TensorScatter</c> of opset 24: an update written into a cache along one axis, in each row from a place of its own
/// (0 by default); with mode <c>circular</c> it goes on at the cache's start.
/// </summary>
/// <seealso href="https://onnx.ai/onnx/operators/onnx__TensorScatter.html"/>
internal static class CacheWrite
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        var (cache, update) = (node.Inputs[0]!, node.Inputs[1]!);
        var rank = cache.Shape?.Rank ?? throw ContribOps.Refusal(node, $"an input {cache} of unknown rank");
        var axis = node.Attributes.Int("axis", -2);
        axis = axis < 0 ? axis + rank : axis;
        var alongAxis = Lengths(rank, axis);
        var places = Reshape(Contrib.Lengths.CountTo(g, Contrib.Lengths.Of(g, update, axis)), alongAxis);
        if (node.Input(2) is { } starts)
            places += Reshape(Cast(g.Term(starts), ElementType.Int64), Lengths(rank, 0));
        if (node.Attributes.String("mode", "linear") == "circular")
            places = g.Term(g.Op("Mod", places, Contrib.Lengths.Of(g, cache, axis)));
        var everywhere = g.Expand(places, g.Shape(update));
        return [g.Op("ScatterElements", [cache, everywhere, update], NodeAttribute.Of("axis", axis))];
    }

    /// <summary>1 for every axis but one, which takes what there is.</summary>
    private static long[] Lengths(int rank, long axis) =>
        [.. Enumerable.Range(0, rank).Select(a => a == axis ? -1L : 1L)];
}

using OrtPeft.Adapters.Decoders;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.PrefixTuning;

/// <summary>
/// Joins keys and values to a layer's own: with scores a = s·Q·K_pᵀ of the prefix and b of the graph, masked there, the
/// weights are [u, w] = softmax([a, b]) and the result u·V_p + w·V.
/// </summary>
internal static class PrefixAttention
{
    /// <summary>Extends one layer.</summary>
    /// <param name="g">The builder of the graph.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="keys"><c>[key heads, P, width]</c>.</param>
    /// <param name="values"><c>[key heads, P, width]</c>.</param>
    public static void Extend(GraphBuilder g, AttentionLayer layer, Value keys, Value values)
    {
        var count = keys.Shape![1].Value!.Value;
        g.Scope = $"/prefix/{layer.Softmax.Name.TrimStart('/')}";
        g.Before = layer.Softmax;
        var own = layer.Softmax.Inputs[0]!;
        var transposed = g.Cast(g.Transpose(keys, 0, 2, 1), layer.Keys.Type);
        var atKeys = HeadLayout.Like(g, transposed, layer.Keys);
        foreach (var factor in layer.KeyFactors())
            atKeys = g.Op(factor.OpType, atKeys, factor.Inputs[1]);
        var scores = layer.Scores.Apply(g, g.MatMul(layer.Queries, atKeys));
        if (AttentionWindow.Of(layer.Scores, g.Shapes) is { } window)
            scores = window.Hide(g, scores, own);
        layer.Softmax.SetInput(0, g.Concat(-1, scores, own));
        foreach (var node in layer.WeightNodes())
        {
            node.Output.Shape = null; // it has P columns more
            g.Shapes.Infer(node);
        }

        var context = layer.Context;
        g.Before = context;
        var atValues = HeadLayout.Like(g, g.Cast(values, layer.Values.Type), layer.Values);
        var total = g.Gather(g.Shape(layer.Values), g.Int64(layer.Values.Shape!.Rank - 2));
        var parts = g.Ops(
            "Split", 2, [context.Inputs[0], g.Concat(0, g.Int64(count), total)], [NodeAttribute.Of("axis", -1L)]);
        var result = g.Add(g.MatMul(parts[1], layer.Values), g.MatMul(parts[0], atValues));
        g.Graph.ReplaceAllUsesWith(context.Output, result);
        g.Graph.Remove(context);
    }
}

using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// The sum of word, position and segment embeddings, normalised. Inputs: ids, segment ids, word, position and segment
/// tables, γ, β, mask, position ids. Outputs: the result, the number of ones in each row of the mask, the sum.
/// </summary>
internal static class EmbedNormalization
{
    public static Value?[] Of(Node node, GraphBuilder g)
    {
        var ids = node.Inputs[0]!;
        var words = g.Gather(node.Inputs[2]!, ids);
        var sum = g.Add(words, g.Gather(node.Inputs[3]!, Positions(node, g, ids)));
        if (node.Input(1) is { } segments && node.Input(4) is { } table)
            sum = g.Add(sum, g.Gather(table, segments));
        var epsilon = NodeAttribute.Of("epsilon", node.Attributes.Float("epsilon", 1e-12f));
        var result = g.Op("LayerNormalization", [sum, node.Input(5), node.Input(6)], epsilon);
        return [result, MaskIndex(node, g, ids), sum];
    }

    /// <summary>Without position ids: 0, 1, 2, … along the sequence.</summary>
    private static Value Positions(Node node, GraphBuilder g, Value ids)
    {
        if (node.Input(8) is { } given)
            return given;
        return g.Unsqueeze(Lengths.CountTo(g, Lengths.Of(g, ids, 1)), 0);
    }

    private static Value MaskIndex(Node node, GraphBuilder g, Value ids)
    {
        var mask = node.Input(7);
        var ones = mask is null
            ? g.Op("And", g.Op("Equal", ids, ids), g.Scalar(ElementType.Bool, 0))
            : g.Op("Equal", mask, g.ScalarLike(mask, 1));
        return g.ReduceSum(g.Cast(ones, ElementType.Int32), [1], keepDims: false);
    }
}

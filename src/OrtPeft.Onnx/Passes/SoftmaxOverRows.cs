using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Before opset 13, Softmax and its relatives see the tensor as a matrix: the axes from <c>axis</c> (default 1) on form
/// the rows. With the last axis that is what they do today; else the matrix is made explicit.
/// </summary>
/// <seealso href="https://github.com/onnx/onnx/blob/main/docs/Changelog.md#Softmax-11"/>
internal static class SoftmaxOverRows
{
    /// <summary>Rewrites a node of opset 12 or older.</summary>
    public static void Lower(Node node, GraphBuilder g)
    {
        var axis = node.Attributes.Int("axis", 1);
        if (axis == -1 || axis == node.Inputs[0]!.Shape?.Rank - 1)
        {
            node.Attributes.Set(NodeAttribute.Of("axis", -1L));
            return;
        }

        var x = node.Inputs[0]!;
        var rows = g.Op("Flatten", [x], NodeAttribute.Of("axis", axis));
        var result = g.Op(node.OpType, [rows], NodeAttribute.Of("axis", -1L));
        Replacement.Put(g, node, g.ReshapeLike(result, x));
    }
}

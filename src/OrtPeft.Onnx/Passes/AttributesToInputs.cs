using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>Attributes of older operator sets that are constant inputs in newer ones.</summary>
internal static class AttributesToInputs
{
    /// <summary>Axes: the second input of Squeeze, Unsqueeze and the reductions.</summary>
    public static void Axes(Node node, GraphBuilder g) => Move(node, g, "axes", 1);

    /// <summary>The parts' lengths: the second input of Split.</summary>
    public static void SplitLengths(Node node, GraphBuilder g) => Move(node, g, "split", 1);

    /// <summary>Slice takes starts, ends and axes.</summary>
    public static void Slice(Node node, GraphBuilder g)
    {
        Move(node, g, "starts", 1);
        Move(node, g, "ends", 2);
        Move(node, g, "axes", 3);
    }

    /// <summary>TopK takes k as a vector of one element.</summary>
    public static void TopK(Node node, GraphBuilder g)
    {
        if (node.Attributes.Contains("k"))
            node.SetInput(1, g.Int64(node.Attributes.Int("k", 0)));
        node.Attributes.Remove("k");
    }

    /// <summary>Clip takes the bounds; a bound left out is the type's own.</summary>
    public static void Clip(Node node, GraphBuilder g)
    {
        MoveNumber(node, g, "min", 1);
        MoveNumber(node, g, "max", 2);
    }

    /// <summary>Pad takes the lengths and the number to pad with.</summary>
    public static void Pad(Node node, GraphBuilder g)
    {
        Move(node, g, "pads", 1);
        MoveNumber(node, g, "value", 2);
    }

    private static void Move(Node node, GraphBuilder g, string attribute, int input)
    {
        if (node.Attributes.Ints(attribute) is not { } values)
            return;
        node.SetInput(input, g.Int64(values));
        node.Attributes.Remove(attribute);
    }

    private static void MoveNumber(Node node, GraphBuilder g, string attribute, int input)
    {
        if (!node.Attributes.Contains(attribute))
            return;
        var type = node.Inputs[0]!.Type is ElementType.Undefined ? ElementType.Float : node.Inputs[0]!.Type;
        node.SetInput(input, g.Scalar(type, node.Attributes.Float(attribute, 0)));
        node.Attributes.Remove(attribute);
    }
}

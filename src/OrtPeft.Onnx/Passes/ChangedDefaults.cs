using OrtPeft.Onnx.Building;

namespace OrtPeft.Onnx.Passes;

/// <summary>Settings that older operator sets leave out or spell otherwise, stated as the canonical one says them.</summary>
internal static class ChangedDefaults
{
    /// <summary>
    /// Before opset 9, statistics could be kept per element instead of per channel; nothing else changed.
    /// </summary>
    public static void ChannelStatistics(Node node)
    {
        if (node.Attributes.Int("spatial", 1) == 0)
            throw Refusal(node, "spatial=0, statistics per element");
        node.Attributes.Remove("spatial");
    }

    /// <summary>Before opset 14, naming more than one output meant training.</summary>
    public static void NoTraining(Node node)
    {
        if (node.Outputs.Count(static o => o.Name.Length > 0) > 1)
            throw Refusal(node, "running statistics as outputs, which is training mode");
    }

    /// <summary>
    /// Opset 21 scales and shifts each channel of its own, opset 18 each group: a group's numbers, once per channel.
    /// </summary>
    public static void PerChannel(Node node, GraphBuilder g)
    {
        var groups = node.Attributes.Int("num_groups", 1);
        var channels = g.Op("Slice", g.Shape(node.Inputs[0]!), g.Int64(1), g.Int64(2));
        var perGroup = g.Concat(0, g.Int64(groups), g.Div(channels, g.Int64(groups)));
        for (var input = 1; input <= 2; input++)
        {
            var repeated = g.Expand(g.Unsqueeze(node.Inputs[input]!, 1), perGroup);
            node.SetInput(input, g.Reshape(repeated, -1));
        }
    }

    /// <summary>Opset 20 gave the modes the names that Resize has.</summary>
    public static void GridModes(Node node)
    {
        var mode = node.Attributes.String("mode", "bilinear") switch
        {
            "bilinear" => "linear",
            "bicubic" => "cubic",
            var other => other,
        };
        node.Attributes.Set(NodeAttribute.Of("mode", mode));
    }

    /// <summary>Before opset 16, regions were not shifted by half a pixel.</summary>
    public static void UnshiftedRegions(Node node) =>
        node.Attributes.Set(NodeAttribute.Of("coordinate_transformation_mode", "output_half_pixel"));

    /// <summary>Opset 20 takes the axis as an input.</summary>
    public static void TransformedAxis(Node node, GraphBuilder g)
    {
        node.SetInput(2, g.Int64Scalar(node.Attributes.Int("axis", 1)));
        node.Attributes.Remove("axis");
    }

    /// <summary>
    /// Resize of opset 10 takes x and scales; what opset 11 lets one choose, it does as Upsample before it did.
    /// </summary>
    public static void Resize(Node node)
    {
        node.SetInput(2, node.Input(1));
        node.SetInput(1, null);
        node.Attributes.Set(NodeAttribute.Of("coordinate_transformation_mode", "asymmetric"));
        node.Attributes.Set(NodeAttribute.Of("nearest_mode", "floor"));
    }

    private static UnsupportedOpException Refusal(Node node, string feature) => new(
        $"{node}: {feature}, has no form in opset {CanonicalForm.Opset}; export the model again with a newer opset.");
}

using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Brings models of half precision (float16, bfloat16) to float32, inputs and results included. CPUs compute in float32
/// anyway, and AdamW's small steps would be lost in ten bits of mantissa. Weights stay as they are stored, and are
/// widened whenever they are read.
/// </summary>
internal static class HalfWidening
{
    /// <summary>Runs the pass in place; a model without half-precision numbers is left as it is.</summary>
    /// <param name="model">The model, its constants being initializers.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        foreach (var value in graph.Values.ToArray())
        {
            if (value.Initializer is { } content && content.Type.IsHalf())
                graph.SetInitializer(value, content.Widened());
            else if (value.Type.IsHalf())
                value.Type = ElementType.Float;
        }

        foreach (var node in graph.Nodes)
            foreach (var attribute in node.Attributes.ToArray())
                Widen(node, attribute);
    }

    /// <summary>A type to make (<c>Cast</c>, <c>EyeLike</c>) or a number to fill with.</summary>
    private static void Widen(Node node, NodeAttribute attribute)
    {
        var isType = attribute is { Kind: AttributeKind.Int, Name: "to" or "dtype" };
        if (isType && attribute.AsInt() is (long)ElementType.Float16 or (long)ElementType.BFloat16)
            node.Attributes.Set(NodeAttribute.Of(attribute.Name, (long)ElementType.Float));
        else if (attribute.Kind == AttributeKind.Tensor && attribute.AsTensor().Type.IsHalf())
            node.Attributes.Set(NodeAttribute.Of(attribute.Name, attribute.AsTensor().Widened()));
    }
}

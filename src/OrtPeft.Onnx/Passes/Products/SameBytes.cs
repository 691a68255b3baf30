using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes.Products;

/// <summary>A constant with other axes and the same bytes, so that what changes in it is found in the source graph.</summary>
internal static class SameBytes
{
    /// <summary>Adds the constant. It takes the name over where nothing else reads the old one.</summary>
    /// <param name="g">Adds the initializer.</param>
    /// <param name="value">An initializer.</param>
    /// <param name="dims">The axes, of as many elements.</param>
    /// <returns>The other initializer.</returns>
    public static Value As(GraphBuilder g, Value value, params ReadOnlySpan<long> dims) => Named(
        g, value, new Tensor(value.Initializer!.Type, [.. dims], value.Initializer.Data));

    /// <summary>Adds a constant under another's name, or one like it where that is read elsewhere too.</summary>
    /// <param name="g">Adds the initializer.</param>
    /// <param name="value">The initializer that the constant is made of.</param>
    /// <param name="content">The constant.</param>
    /// <returns>The new initializer.</returns>
    public static Value Named(GraphBuilder g, Value value, Tensor content)
    {
        var name = value.Name;
        if (value is { Uses.Count: 1, IsGraphOutput: false, IsGraphInput: false })
            g.Graph.Rename(value, g.Graph.FreshName($"{name}/source"));
        else
            name = g.Graph.FreshName(name);
        return g.Graph.AddInitializer(name, content.WithName(name));
    }
}

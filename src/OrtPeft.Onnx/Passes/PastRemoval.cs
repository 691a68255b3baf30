using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Specialises a decoder for sequences without a past, as training sees them: cache inputs are taken as empty, and what
/// was only there for them goes. An input that something else still reads stays, to be fed with a length of 0.
/// </summary>
internal static class PastRemoval
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model; its cache outputs have been dropped.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var pasts = model.Graph.Inputs.Where(CacheInputs.IsPast).ToArray();
        if (pasts.Length == 0)
            return;
        var growing = pasts.Where(static p => !CacheInputs.IsState(p)).ToArray();
        foreach (var past in growing)
            past.Shape = WithoutPast(past.Shape!);
        if (growing.Length > 0)
            MaskCoversTheSequenceOnly(model.Graph);
        ComputedConstants.Run(model);
        foreach (var past in pasts.Where(static p => p.Uses.Count == 0))
            model.Graph.Remove(past);
    }

    /// <summary>The mask spans past and sequence; without a past it is as long as the sequence.</summary>
    internal static void MaskCoversTheSequenceOnly(Graph graph)
    {
        var ids = graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids);
        var mask = graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Mask);
        if (ids?.Shape is { Rank: 2 } shape && mask?.Shape is { Rank: 2 })
            mask.Shape = shape;
    }

    /// <summary>[…, heads, past, head_dim]: the last axis but one becomes 0.</summary>
    private static Shape WithoutPast(Shape shape)
    {
        var dims = shape.ToArray();
        dims[^2] = 0;
        return Shape.Create(dims);
    }
}

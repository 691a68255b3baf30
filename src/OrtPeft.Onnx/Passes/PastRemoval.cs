using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Specialises a decoder for sequences without a past, as training sees them: cache inputs are taken as empty, and what
/// was only there for them goes. An input that something else still reads stays, to be fed with a length of 0.
/// </summary>
public static class PastRemoval
{
    private static readonly string[] Prefixes = ["past_key_values.", "past_key_values_", "past_"];

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model; its cache outputs have been dropped.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var pasts = model.Graph.Inputs.Where(IsPast).ToArray();
        if (pasts.Length == 0)
            return;
        foreach (var past in pasts)
            past.Shape = WithoutPast(past.Shape!);
        MaskCoversTheSequenceOnly(model.Graph);
        ComputedConstants.Run(model);
        foreach (var past in pasts.Where(static p => p.Uses.Count == 0))
            model.Graph.Remove(past);
    }

    /// <summary>Whether an input carries cached keys or values.</summary>
    /// <param name="input">A graph input.</param>
    /// <returns>True for floating-point inputs of four or five axes that are named as caches are.</returns>
    public static bool IsPast(Value input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.Type.IsFloating() && input.Shape is { Rank: 4 or 5 }
            && Prefixes.Any(p => input.Name.StartsWith(p, StringComparison.Ordinal));
    }

    /// <summary>The mask spans past and sequence; without a past it is as long as the sequence.</summary>
    internal static void MaskCoversTheSequenceOnly(Graph graph)
    {
        var ids = graph.Inputs.FirstOrDefault(static i => i.Name == "input_ids");
        var mask = graph.Inputs.FirstOrDefault(static i => i.Name == "attention_mask");
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

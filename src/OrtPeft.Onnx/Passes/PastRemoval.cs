using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Specialises a decoder for sequences without a past, as training sees them: cache inputs are taken as empty, and what
/// was only there for them goes. An input that something else still reads stays, to be fed with a length of 0.
/// </summary>
public static class PastRemoval
{
    private static readonly string[] Prefixes = [$"{DecoderNames.Past}.", $"{DecoderNames.Past}_", "past_"];

    private static readonly string[] Forms = ["Split", "Gather", "Cast", "Squeeze", "Transpose", "Identity"];

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model; its cache outputs have been dropped.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var pasts = model.Graph.Inputs.Where(IsPast).ToArray();
        if (pasts.Length == 0)
            return;
        var growing = pasts.Where(static p => !IsState(p)).ToArray();
        foreach (var past in growing)
            past.Shape = WithoutPast(past.Shape!);
        if (growing.Length > 0)
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

    /// <summary>
    /// Whether an input carries a state of a fixed size, which begins as zeros: a cache whose slots are written in
    /// place, or what a convolution or a recurrence keeps. A cache that new keys are put behind grows, whatever length
    /// a file states.
    /// </summary>
    /// <param name="input">A graph input.</param>
    /// <returns>True where its name begins as a past's, and all axes but one, the batch, are numbers.</returns>
    public static bool IsState(Value input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var isNamed = input is { IsGraphInput: true, Initializer: null, Shape.Rank: >= 2 } && input.Type.IsFloating()
            && input.Name.StartsWith("past", StringComparison.Ordinal);
        if (!isNamed || input.Shape!.Count(static d => d.Value is null) > 1)
            return false;
        return input.Shape!.Rank < 4 || (input.Shape[input.Shape.Rank - 2].Value > 0
            && input.Uses.All(static u => u.Node.Domain.Length == 0 && !IsGrowth(u)));
    }

    /// <summary>Whether new keys are put behind what is read, straight away or behind a change of form.</summary>
    private static bool IsGrowth(Use use) => use.Node.Is("Concat")
        || (Forms.Contains(use.Node.OpType) && use.Node.Outputs.Any(static o => o.Uses.Any(IsGrowth)));

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

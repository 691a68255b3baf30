using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Memory;

/// <summary>A value of the forward pass and all that reads its memory.</summary>
internal sealed class KeptValue
{
    private readonly int _lastOfForward;
    private readonly int _firstOfGradient;
    private readonly int _lastOfGradient;

    /// <summary>Finds its readers.</summary>
    /// <param name="value">A value that is not a view.</param>
    /// <param name="part">What is gradient.</param>
    /// <param name="places">Each node's place in the graph's order.</param>
    public KeptValue(Value value, GradientPart part, Dictionary<Node, int> places)
    {
        Value = value;
        var reads = Reads(value, part).OrderBy(u => places[u.Node]).ToArray();
        OfGradient = [.. reads.Where(u => part.Contains(u.Node.Outputs[0]))];
        First = reads.Length > 0 ? reads[0].Node : null!;
        _lastOfForward = reads.Where(u => !part.Contains(u.Node.Outputs[0])).Select(u => places[u.Node])
            .Append(places[value.Producer!]).Max();
        if (OfGradient.Count > 0)
            (_firstOfGradient, _lastOfGradient) = (places[OfGradient[0].Node], places[OfGradient[^1].Node]);
    }

    /// <summary>The value.</summary>
    public Value Value { get; }

    /// <summary>The first node that reads it.</summary>
    public Node First { get; }

    /// <summary>The gradient's reads of it, or of its views, in order.</summary>
    public IReadOnlyList<Use> OfGradient { get; }

    /// <summary>Whether the gradient reads it.</summary>
    public bool IsKept => OfGradient.Count > 0;

    /// <summary>Whether it lies unread for longer than the gradient then reads it.</summary>
    public bool IsKeptLong => _firstOfGradient - _lastOfForward > _lastOfGradient - _firstOfGradient;

    /// <summary>The product of its axes' lengths, as far as those are known.</summary>
    public long Size => Value.Shape!.Aggregate(1L, static (size, dim) => size * (dim.Value ?? 1));

    private static IEnumerable<Use> Reads(Value value, GradientPart part)
    {
        foreach (var use in value.Uses)
        {
            yield return use;
            if (use.Index != 0 || part.Contains(use.Node.Outputs[0]) || !Costs.IsView(use.Node))
                continue;
            foreach (var further in Reads(use.Node.Outputs[0], part))
                yield return further;
        }
    }
}

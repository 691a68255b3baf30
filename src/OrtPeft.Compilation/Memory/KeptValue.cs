using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Memory;

/// <summary>A value of the forward pass that the gradient reads, and all that reads its memory.</summary>
internal sealed class KeptValue
{
    private readonly int _lastOfForward;
    private readonly int _firstOfGradient;
    private readonly int _lastOfGradient;

    private KeptValue(Value value, Use[] reads, GradientPart part, Dictionary<Node, int> places)
    {
        Value = value;
        First = reads[0].Node;
        OfGradient = [.. reads.Where(u => part.Contains(u.Node.Outputs[0]))];
        _lastOfForward = reads.Except(OfGradient).Select(u => places[u.Node]).Append(places[value.Producer!]).Max();
        (_firstOfGradient, _lastOfGradient) = (places[OfGradient[0].Node], places[OfGradient[^1].Node]);
    }

    /// <summary>The value.</summary>
    public Value Value { get; }

    /// <summary>The first node that reads it.</summary>
    public Node First { get; }

    /// <summary>The gradient's reads of it, or of its views, in order.</summary>
    public IReadOnlyList<Use> OfGradient { get; }

    /// <summary>Whether it lies unread for longer than the gradient then reads it.</summary>
    public bool IsKeptLong => _firstOfGradient - _lastOfForward > _lastOfGradient - _firstOfGradient;

    /// <summary>The product of its axes' lengths, as far as those are known.</summary>
    public long Size => Value.Shape!.Aggregate(1L, static (size, dim) => size * (dim.Value ?? 1));

    /// <summary>Finds a value's readers.</summary>
    /// <param name="value">A value that is not a view.</param>
    /// <param name="part">What is gradient.</param>
    /// <param name="places">Each node's place in the graph's order.</param>
    /// <returns>The value with them; null where the gradient does not read it.</returns>
    public static KeptValue? Of(Value value, GradientPart part, Dictionary<Node, int> places)
    {
        Use[] reads = [.. Reads(value, part).OrderBy(u => places[u.Node])];
        return reads.Any(u => part.Contains(u.Node.Outputs[0])) ? new KeptValue(value, reads, part, places) : null;
    }

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

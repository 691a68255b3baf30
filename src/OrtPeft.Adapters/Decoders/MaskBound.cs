using OrtPeft.Onnx;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// A bound in the square of a mask, whose rows are queries and whose columns are keys: what lies at column − row above the
/// limit is treated in another way than the rest.
/// </summary>
/// <param name="Limit">A number above lengths, such as a cache's.</param>
/// <param name="Queries">The queries' places, <c>[…, sequence, 1]</c>; null where they are counted from the first.</param>
/// <param name="First">The place of the first token among <paramref name="Queries"/>.</param>
internal sealed record MaskBound(SymbolicInteger Limit, Value? Queries, long First)
{
    /// <summary>How far the query that stands in the first row is from the first key.</summary>
    public SymbolicInteger Past => Limit - SymbolicInteger.Of(NumberIn(Limit));

    /// <summary>The window that begins here, or null where the query itself is the bound.</summary>
    public AttentionWindow? Window => NumberIn(Limit) < -1 ? new AttentionWindow(Queries, -NumberIn(Limit), First) : null;

    /// <summary>Whether keys after the query are told from others, which leaves nothing to say of those before.</summary>
    public bool IsAhead => NumberIn(Limit) > 0;

    /// <summary>The bound of a square whose columns are queries.</summary>
    public MaskBound Turned() => new(SymbolicInteger.Of(-1) - Limit, null, 0);

    /// <summary>The number in a polynomial of lengths.</summary>
    public static long NumberIn(SymbolicInteger polynomial) =>
        polynomial.Terms.Where(static t => t.Symbols.Count == 0).Sum(static t => t.Coefficient);

    /// <summary>The exception for a mask that is not known.</summary>
    public static ConfigException Unknown(Node node) => new(
        $"{node}: the attention's mask depends on the places of queries and keys in a form that is not known (attention in "
        + "chunks has one), so that it cannot be told which queries see a prefix; choose prompt-tuning.");
}

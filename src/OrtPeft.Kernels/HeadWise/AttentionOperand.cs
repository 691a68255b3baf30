using OrtPeft.Kernels.Loops;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Queries, keys or values, or what is of their shape: rows of each head of each row of the batch.</summary>
internal unsafe struct AttentionOperand
{
    /// <summary>The first number.</summary>
    public float* Start;

    /// <summary>How far rows of the batch, heads, and positions are apart.</summary>
    public long Batch, Head, Row;

    /// <summary>[batch, heads, positions, d], or [batch, positions, heads, d] in rows.</summary>
    public static AttentionOperand Of(float* start, long[] dims, bool inRows)
    {
        var (outer, inner) = (dims[2] * dims[3], dims[3]);
        return new AttentionOperand
        {
            Start = start,
            Batch = dims[1] * outer,
            Head = inRows ? inner : outer,
            Row = inRows ? outer : inner,
        };
    }

    /// <summary>A part of [batch, positions, parts·heads·d].</summary>
    public static AttentionOperand OfRows(float* start, long positions, long heads, long d, int parts, int part) =>
        new()
        {
            Start = start + (part * heads * d),
            Batch = positions * parts * heads * d,
            Head = d,
            Row = parts * heads * d,
        };

    /// <summary>One head's rows.</summary>
    /// <param name="piece">The head's number among all heads of all rows of the batch.</param>
    /// <param name="heads">How many heads there are.</param>
    public readonly StridedRows Of(long piece, long heads)
    {
        var (batch, head) = Math.DivRem(piece, heads);
        return new StridedRows(Start + (batch * Batch) + (head * Head), (nint)Row);
    }
}

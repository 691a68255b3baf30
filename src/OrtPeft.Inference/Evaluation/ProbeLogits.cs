namespace OrtPeft.Inference.Evaluation;

/// <summary>Logits of a few rows, copied.</summary>
/// <param name="Dims">The axes.</param>
/// <param name="Numbers">The numbers, row-major.</param>
internal sealed record ProbeLogits(long[] Dims, float[] Numbers)
{
    /// <summary>All logits of a row, <c>[sequence · vocabulary]</c>.</summary>
    public float[] Row(int row)
    {
        var size = Numbers.Length / (int)Dims[0];
        return Numbers[(row * size)..((row + 1) * size)];
    }

    /// <summary>
    /// Whether some place of a row has no next-token loss: NaN, +∞, or −∞ for every word. A masked word's −∞ is fine.
    /// </summary>
    public bool HasNoNumber(int row) => Row(row).Chunk((int)Dims[^1]).Any(static place =>
        place.Any(static x => float.IsNaN(x) || float.IsPositiveInfinity(x)) || place.All(float.IsNegativeInfinity));

    /// <summary>The largest difference; equal infinities, as of masked words, do not differ.</summary>
    public static double Change(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        var largest = 0.0;
        for (var i = 0; i < one.Length; i++)
            largest = Math.Max(largest, one[i].Equals(other[i]) ? 0 : Math.Abs((double)one[i] - other[i]));
        return largest;
    }
}

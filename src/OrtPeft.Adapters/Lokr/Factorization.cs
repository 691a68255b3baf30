namespace OrtPeft.Adapters.Lokr;

/// <summary>How LoKr splits a length into the lengths of the two Kronecker factors.</summary>
/// <seealso href="https://github.com/huggingface/peft/blob/main/src/peft/tuners/lokr/layer.py">HF PEFT's
/// <c>factorization</c>, whose results files depend on.</seealso>
internal static class Factorization
{
    /// <summary>Splits a length into two divisors.</summary>
    /// <param name="length">The length, at least 1.</param>
    /// <param name="factor">
    /// The first divisor where it divides the length, else the largest that the first may be; −1 looks for divisors
    /// near the length's root.
    /// </param>
    /// <returns>Two lengths whose product is the length; without an exact factor, the first is not above the
    /// second.</returns>
    public static (long First, long Second) Of(long length, int factor)
    {
        if (factor > 0 && length % factor == 0)
            return (factor, length / factor);
        var bound = factor == -1 ? length : factor;
        var (first, second) = (1L, length);
        while (first < second)
        {
            var next = first + 1;
            while (length % next != 0)
                next++;
            var other = length / next;
            if (next + other > 1 + length || next > bound)
                break;
            (first, second) = (next, other);
        }

        return first <= second ? (first, second) : (second, first);
    }
}

namespace OrtPeft.Training.Data;

/// <summary>
/// The SplitMix64 generator: the state goes up by a constant and each output is a mix of the state alone. It is fixed
/// here, unlike <see cref="Random"/>, so that a seed means the same order on every version of .NET.
/// </summary>
/// <seealso href="https://doi.org/10.1145/2714064.2660195">Steele, Lea and Flood 2014, figure 16</seealso>
internal struct SplitMix64(ulong state)
{
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;
    private ulong _state = state;

    /// <summary>An independent generator for each pair of seed and stream.</summary>
    public static SplitMix64 For(long seed, int stream)
    {
        var outer = new SplitMix64(unchecked((ulong)seed));
        return new SplitMix64(unchecked(outer.Next() + (ulong)stream * GoldenGamma) ^ outer.Next());
    }

    public ulong Next()
    {
        unchecked
        {
            _state += GoldenGamma;
            ulong z = _state;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    /// <summary>
    /// A number in 0..<paramref name="bound"/>−1 without bias: the high half of a 128-bit product, drawn again while
    /// the low half lies in the uneven rest (Lemire 2019, https://doi.org/10.1145/3230636).
    /// </summary>
    public int Below(int bound)
    {
        ulong range = (ulong)bound;
        ulong rest = unchecked(0 - range) % range;
        while (true)
        {
            ulong high = Math.BigMul(Next(), range, out ulong low);
            if (low >= rest)
                return (int)high;
        }
    }
}

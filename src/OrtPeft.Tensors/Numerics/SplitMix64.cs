namespace OrtPeft.Tensors.Numerics;

/// <summary>
/// Random numbers that are the same on every machine and .NET version: number i of a stream depends on the seed, the
/// stream's name and i only. Not for secrets. Not thread-safe.
/// </summary>
/// <seealso href="https://doi.org/10.1145/2714064.2660195">Steele, Lea, Flood: Fast splittable pseudorandom number
/// generators.</seealso>
internal sealed class SplitMix64
{
    internal const ulong Golden = 0x9E3779B97F4A7C15;
    private ulong _state;

    /// <summary>Opens a stream.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">What the numbers are for; streams of different names are independent.</param>
    public SplitMix64(long seed, string stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _state = Mix((ulong)seed + Golden);
        foreach (var character in stream)
            _state = Mix(_state ^ (character + Golden));
    }

    /// <summary>The next 64 random bits.</summary>
    /// <returns>A number of the whole range.</returns>
    public ulong NextUInt64() => Mix(_state += Golden);

    /// <summary>The next number between 0 (included) and 1 (excluded).</summary>
    /// <returns>A multiple of 2⁻⁵³.</returns>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>The next whole number below a bound, without bias.</summary>
    /// <param name="bound">At least 1.</param>
    /// <returns>0 to bound − 1.</returns>
    /// <seealso href="https://arxiv.org/abs/1805.10941">Lemire, Fast random integer generation in an
    /// interval.</seealso>
    public int NextBelow(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        var range = (ulong)bound;
        var unfair = unchecked(0 - range) % range;
        while (true)
        {
            var high = Math.BigMul(NextUInt64(), range, out var low);
            if (low >= unfair)
                return (int)high;
        }
    }

    /// <summary>The next number between two bounds.</summary>
    /// <param name="low">The lower bound, included.</param>
    /// <param name="high">The upper bound.</param>
    /// <returns>A uniformly distributed number.</returns>
    public float NextUniform(double low, double high) => (float)(low + ((high - low) * NextDouble()));

    /// <summary>The next normally distributed number (Box and Muller's cosine form).</summary>
    /// <param name="standardDeviation">The spread around 0.</param>
    /// <returns>The number.</returns>
    public float NextNormal(double standardDeviation)
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        return (float)(standardDeviation * radius * Math.Cos(2 * Math.PI * NextDouble()));
    }

    /// <summary>A bijection of 64 bits in which each bit of the result depends on all of the argument.</summary>
    internal static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

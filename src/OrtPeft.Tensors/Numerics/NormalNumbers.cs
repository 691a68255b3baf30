using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OrtPeft.Tensors.Numerics;

/// <summary>
/// Standard normal numbers by position: the n-th is a function of key and n alone, so any part can be made at any time
/// by any thread. Uses only operations that IEEE 754 rounds exactly, so the bits are the same on every machine.
/// </summary>
/// <seealso href="https://en.wikipedia.org/wiki/Box%E2%80%93Muller_transform"/>
/// <param name="Key">Which numbers: from <see cref="Of"/>.</param>
internal readonly record struct NormalNumbers(ulong Key)
{
    /// <summary>How many numbers are made at once: eight radii times a cosine and a sine each.</summary>
    private const int Block = 16;

    /// <summary>Makes consecutive numbers.</summary>
    /// <param name="first">The first number's position, from 0.</param>
    /// <param name="target">Receives as many as it has room for.</param>
    public void Fill(long first, Span<float> target)
    {
        Span<float> block = stackalloc float[Block];
        while (!target.IsEmpty)
        {
            var skip = (int)(first % Block);
            if (skip == 0 && target.Length >= Block)
            {
                FillBlock(first / Block, target[..Block]);
                target = target[Block..];
                first += Block;
                continue;
            }

            FillBlock(first / Block, block);
            var count = Math.Min(Block - skip, target.Length);
            block.Slice(skip, count).CopyTo(target);
            target = target[count..];
            first += count;
        }
    }

    /// <summary>The numbers of a name: its 64-bit FNV-1a hash, mixed with a seed.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="name">What the numbers are for.</param>
    /// <returns>The numbers.</returns>
    public static NormalNumbers Of(ulong seed, string name)
    {
        var hash = 14695981039346656037UL;
        ArgumentNullException.ThrowIfNull(name);
        foreach (var unit in MemoryMarshal.AsBytes(name.AsSpan()))
            hash = (hash ^ unit) * 1099511628211UL;
        return new NormalNumbers(SplitMix64.Mix(hash + (seed * SplitMix64.Golden)));
    }

    private void FillBlock(long number, Span<float> target)
    {
        var counter = Vector256.Create((uint)number << 3) + Vector256<uint>.Indices;
        var high = Mix(Vector256.Create((uint)(number >> 29) + (uint)Key));
        var random = Mix(counter ^ high);
        var first = Uniform(Mix(random + Vector256.Create((uint)(Key >> 32))));
        var second = Uniform(Mix(random ^ Vector256.Create(0x9E3779B9u)));
        // u in (0, 1], so that the logarithm exists.
        var radius = Vector256.Sqrt(Vector256.Create(-2f) * Log(first + Vector256.Create(1f / (1 << 24))));
        var (sine, cosine) = SineAndCosine(second);
        (radius * cosine).CopyTo(target);
        (radius * sine).CopyTo(target[Vector256<float>.Count..]);
    }

    /// <summary>An invertible 32-bit hash (lowbias32).</summary>
    private static Vector256<uint> Mix(Vector256<uint> x)
    {
        x = (x ^ (x >>> 16)) * Vector256.Create(0x21F0AAADu);
        x = (x ^ (x >>> 15)) * Vector256.Create(0x735A2D97u);
        return x ^ (x >>> 15);
    }

    /// <summary>The upper 24 bits as a number in [0, 1).</summary>
    private static Vector256<float> Uniform(Vector256<uint> bits) =>
        Vector256.ConvertToSingle((bits >>> 8).AsInt32()) * Vector256.Create(1f / (1 << 24));

    /// <summary>ln u for u in (0, 1]: u = m·2^e with m in [√½, √2), ln m = 2·artanh((m − 1)/(m + 1)).</summary>
    private static Vector256<float> Log(Vector256<float> u)
    {
        var offset = Vector256.Create(0x3F3504F3); // The bits of √½.
        var shifted = u.AsInt32() - offset;
        var exponent = Vector256.ConvertToSingle(shifted >> 23);
        var m = ((shifted & Vector256.Create(0x007FFFFF)) + offset).AsSingle();
        var s = (m - Vector256<float>.One) / (m + Vector256<float>.One);
        var q = s * s;
        var series = (q * Vector256.Create(1f / 9)) + Vector256.Create(1f / 7);
        series = (series * q) + Vector256.Create(1f / 5);
        series = (series * q) + Vector256.Create(1f / 3);
        series = (series * q) + Vector256<float>.One;
        return Vector256.Min((exponent * Vector256.Create(0.6931472f)) + (s * series * 2f), Vector256<float>.Zero);
    }

    /// <summary>sin 2πt and cos 2πt for t in [0, 1): a Taylor series within ±π/4 and the quadrant's symmetry.</summary>
    private static (Vector256<float> Sine, Vector256<float> Cosine) SineAndCosine(Vector256<float> t)
    {
        var quarters = t * 4f;
        var quadrant = Vector256.Floor(quarters + Vector256.Create(0.5f));
        var x = (quarters - quadrant) * Vector256.Create(1.5707964f);
        var q = x * x;
        var sine = (q * Vector256.Create(-1f / 5040)) + Vector256.Create(1f / 120);
        sine = (sine * q) + Vector256.Create(-1f / 6);
        sine = ((sine * q) + Vector256<float>.One) * x;
        var cosine = (q * Vector256.Create(1f / 40320)) + Vector256.Create(-1f / 720);
        cosine = (cosine * q) + Vector256.Create(1f / 24);
        cosine = (cosine * q) + Vector256.Create(-0.5f);
        cosine = (cosine * q) + Vector256<float>.One;
        var turn = Vector256.ConvertToInt32(quadrant);
        var odd = Vector256.Equals(turn & Vector256<int>.One, Vector256<int>.One).AsSingle();
        var sineSign = ((turn & Vector256.Create(2)) << 30).AsSingle();
        var cosineSign = (((turn + Vector256<int>.One) & Vector256.Create(2)) << 30).AsSingle();
        return (Vector256.ConditionalSelect(odd, cosine, sine) ^ sineSign,
            Vector256.ConditionalSelect(odd, sine, cosine) ^ cosineSign);
    }
}

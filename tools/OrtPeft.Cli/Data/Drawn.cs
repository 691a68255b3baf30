using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Cli.Data;

/// <summary>Draws some of many.</summary>
internal static class Drawn
{
    /// <summary>Some numbers in their order, each as likely as any other (Knuth, algorithm 3.4.2 S).</summary>
    /// <param name="all">How many there are.</param>
    /// <param name="count">How many are drawn.</param>
    /// <param name="seed">Which ones.</param>
    /// <param name="purpose">Keeps draws for other purposes apart.</param>
    public static IEnumerable<int> Of(int all, int count, long seed, string purpose)
    {
        var random = new SplitMix64(seed, purpose);
        for (var (i, left) = (0, count); left > 0; i++)
        {
            if (random.NextBelow(all - i) >= left)
                continue;
            left--;
            yield return i;
        }
    }
}

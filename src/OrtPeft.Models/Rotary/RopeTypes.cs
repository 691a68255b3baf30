using OrtPeft.Models.Configuration;

namespace OrtPeft.Models.Rotary;

/// <summary>The kinds of rotary scaling, by HF's <c>rope_type</c>: which fields they need, and what they do.</summary>
/// <seealso href="https://huggingface.co/docs/transformers/internal/rope_utils"/>
internal static class RopeTypes
{
    public const string Default = "default";

    public const string LongRope = "longrope";

    public const string Proportional = "proportional";

    private static readonly Row[] Rows =
    [
        new(Default, [], static (_, pairs) => new() { Angles = pairs.Angles }),
        new("linear", [RopeFields.Factor], Linear),
        new("dynamic", [RopeFields.Factor], Dynamic),
        new("yarn", [], Yarn),
        new(LongRope, [RopeFields.Short, RopeFields.Long], LongerRope),
        new("llama3", [RopeFields.Factor, RopeFields.Low, RopeFields.High], Llama3),
        new(Proportional, [], OfAPart),
    ];

    public static IEnumerable<string> Names => Rows.Select(static row => row.Name);

    public static string[] Needs(string type) => Find(type).Needs;

    /// <summary>The angle per token of each pair of elements: θ^(−2i/d) for i in 0..d/2−1, scaled.</summary>
    /// <param name="size">d, even: how many elements turn.</param>
    /// <param name="theta">The base.</param>
    /// <param name="scaling">How they are slowed down.</param>
    /// <param name="positions">The longest sequence in tokens.</param>
    /// <seealso href="https://arxiv.org/abs/2104.09864">Su et al., RoFormer, section 3.2.2.</seealso>
    public static RopeFrequencies Frequencies(int size, double theta, RopeScaling? scaling, int positions)
    {
        double[] angles = [.. Enumerable.Range(0, size / 2).Select(i => Math.Pow(theta, -2.0 * i / size))];
        return scaling is null
            ? new() { Angles = angles }
            : Find(scaling.Type).Scale(scaling, new Pairs(size, theta, angles, positions));
    }

    public static void Check(RopeScaling? scaling, string section, int size)
    {
        if (scaling is null)
            return;
        var (low, high) = (scaling.LowFrequencyFactor, scaling.HighFrequencyFactor);
        ConfigChecks.OneOf($"{section}.{RopeFields.Type}", scaling.Type, Names);
        ConfigChecks.Require(scaling.Factor > 0, $"{section}.{RopeFields.Factor}", scaling.Factor, "a number over 0");
        ConfigChecks.Require(low > 0, $"{section}.{RopeFields.Low}", low, "a number over 0");
        ConfigChecks.Require(high > low, $"{section}.{RopeFields.High}", high, FormattableString.Invariant(
            $"a number over {RopeFields.Low}, which is {low}"));
        ConfigChecks.AtLeastOne($"{section}.{RopeFields.Original}", scaling.OriginalPositions);
        if (scaling.AttentionFactor is { } factor)
            ConfigChecks.Require(factor >= 0, $"{section}.{RopeFields.Attention}", factor, "a number from 0");
        ConfigChecks.Require(
            scaling.Part is >= 0 and <= 1, $"{section}.{RopeFields.Part}", scaling.Part, "a number from 0 to 1");
        ConfigChecks.Require(
            scaling.BetaFast > 0, $"{section}.{RopeFields.BetaFast}", scaling.BetaFast, "a number over 0");
        ConfigChecks.Require(
            scaling.BetaSlow > 0, $"{section}.{RopeFields.BetaSlow}", scaling.BetaSlow, "a number over 0");
        if (scaling.Type != LongRope)
            return;
        ConfigChecks.Require(
            scaling.AttentionFactor is not null || scaling.Factor <= 1 || scaling.OriginalPositions > 1,
            $"{section}.{RopeFields.Original}", scaling.OriginalPositions, "at least 2");
        Check(scaling.ShortFactors, $"{section}.{RopeFields.Short}", size / 2);
        Check(scaling.LongFactors, $"{section}.{RopeFields.Long}", size / 2);
    }

    private static void Check(RopeFactors? factors, string field, int count)
    {
        var found = factors is null ? "missing" : $"a list of {factors.Count}";
        ConfigChecks.Require(factors?.Count == count, field, found, $"one of {count}, a number for each pair that turns");
        var bad = Enumerable.Range(0, count).FirstOrDefault(i => factors![i] <= 0, -1);
        ConfigChecks.Require(bad < 0, field, bad < 0 ? "" : $"{factors![bad]} at {bad}", "numbers over 0");
    }

    private static RopeFrequencies Linear(RopeScaling scaling, Pairs pairs) =>
        new() { Angles = [.. pairs.Angles.Select(angle => angle / scaling.Factor)] };

    /// <summary>The first pairs turn, each as fast as in a head of which all turn; the others have no angle.</summary>
    private static RopeFrequencies OfAPart(RopeScaling scaling, Pairs pairs)
    {
        var turning = (int)(scaling.Part * pairs.Size / 2);
        return new() { Angles = [.. pairs.Angles.Select((angle, i) => i < turning ? angle / scaling.Factor : 0)] };
    }

    /// <summary>Turns slower and slower beyond the longest sequence: HF's base θ·s^(d/(d−2)).</summary>
    private static RopeFrequencies Dynamic(RopeScaling scaling, Pairs pairs) =>
        new() { Angles = pairs.Angles, Growth = scaling.Factor, Limit = pairs.Positions };

    /// <summary>
    /// Pairs that turn often within the original length stay, those that hardly turn are slowed by the factor, and
    /// between both bounds the share of the slowed angle grows linearly.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/2309.00071">Peng et al., YaRN, section 3.2.</seealso>
    private static RopeFrequencies Yarn(RopeScaling scaling, Pairs pairs)
    {
        var (first, last) = (Bound(scaling.BetaFast), Bound(scaling.BetaSlow));
        if (scaling.Truncate)
            (first, last) = (Math.Floor(first), Math.Ceiling(last));
        (first, last) = (Math.Max(first, 0), Math.Min(last, pairs.Size - 1));
        if (first == last)
            last += 0.001;
        return new()
        {
            Angles = [.. pairs.Angles.Select((angle, i) => Mixed(angle, Math.Clamp((i - first) / (last - first), 0, 1)))],
            AttentionFactor = scaling.AttentionFactor ?? YarnAttention(scaling),
        };

        double Bound(double turns) =>
            pairs.Size * Math.Log(scaling.OriginalPositions / (turns * 2 * Math.PI)) / (2 * Math.Log(pairs.Theta));

        double Mixed(double angle, double slowed) => (angle * (1 - slowed)) + (angle / scaling.Factor * slowed);
    }

    /// <summary>0.1·m·ln(factor) + 1, of <c>mscale</c> over that of <c>mscale_all_dim</c> where both are set.</summary>
    private static double YarnAttention(RopeScaling scaling)
    {
        return scaling is { MScale: not 0, MScaleAllDim: not 0 }
            ? Of(scaling.MScale) / Of(scaling.MScaleAllDim)
            : Of(1);

        double Of(double scale) => scaling.Factor <= 1 ? 1 : (0.1 * scale * Math.Log(scaling.Factor)) + 1;
    }

    /// <summary>Each pair has a divisor of its own, another one once sequences pass the original length.</summary>
    /// <seealso href="https://arxiv.org/abs/2402.13753">Ding et al., LongRoPE.</seealso>
    private static RopeFrequencies LongerRope(RopeScaling scaling, Pairs pairs)
    {
        var paper = scaling.Factor <= 1
            ? 1
            : Math.Sqrt(1 + (Math.Log(scaling.Factor) / Math.Log(scaling.OriginalPositions)));
        return new()
        {
            Angles = [.. pairs.Angles.Select((angle, i) => angle / scaling.ShortFactors![i])],
            LongAngles = [.. pairs.Angles.Select((angle, i) => angle / scaling.LongFactors![i])],
            Limit = scaling.OriginalPositions,
            AttentionFactor = scaling.AttentionFactor ?? paper,
        };
    }

    /// <summary>
    /// With t the turns within the original length: f where t &gt; high, f/factor where t &lt; low, and between them
    /// the mean of both with the weight (t − low)/(high − low) on f.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/2407.21783">The Llama 3 herd of models; the formula is from its released
    /// code.</seealso>
    private static RopeFrequencies Llama3(RopeScaling scaling, Pairs pairs)
    {
        return new() { Angles = [.. pairs.Angles.Select(Scaled)] };

        double Scaled(double angle)
        {
            var turns = scaling.OriginalPositions * angle / (2 * Math.PI);
            var (low, high) = (scaling.LowFrequencyFactor, scaling.HighFrequencyFactor);
            var kept = Math.Clamp((turns - low) / (high - low), 0, 1);
            return (kept * angle) + ((1 - kept) * angle / scaling.Factor);
        }
    }

    private static Row Find(string type) => Rows.First(row => row.Name == type);

    /// <summary>The pairs that turn, not yet scaled.</summary>
    /// <param name="Size">Elements that turn, two of each pair.</param>
    /// <param name="Theta">The base.</param>
    /// <param name="Angles">Each pair's angle per token.</param>
    /// <param name="Positions">The longest sequence in tokens.</param>
    private sealed record Pairs(int Size, double Theta, double[] Angles, int Positions);

    /// <summary>One kind.</summary>
    /// <param name="Name">The <c>rope_type</c>.</param>
    /// <param name="Needs">The fields that must be there.</param>
    /// <param name="Scale">The frequencies, from the unscaled ones.</param>
    private sealed record Row(string Name, string[] Needs, Func<RopeScaling, Pairs, RopeFrequencies> Scale);
}

using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Inference.Generation;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Inference.Tests.Generation;

public sealed class SamplerTests
{
    private const int Draws = 20_000;

    /// <summary>Probabilities 0.5, 0.25, 0.125, 0.0625, 0.0625.</summary>
    private static readonly float[] Halves =
        [.. new[] { 0.5, 0.25, 0.125, 0.0625, 0.0625 }.Select(p => (float)Math.Log(p))];

    public static TheoryData<double?, int?, double?, double[]> Distributions => new()
    {
        { 1, null, null, [0.5, 0.25, 0.125, 0.0625, 0.0625] },
        { null, 0, 1.0, [0.5, 0.25, 0.125, 0.0625, 0.0625] },
        { null, 2, null, [2 / 3.0, 1 / 3.0, 0, 0, 0] },
        { null, 4, null, [0.5, 0.25, 0.125, 0.0625, 0.0625] },
        { null, null, 0.74, [2 / 3.0, 1 / 3.0, 0, 0, 0] },
        { null, null, 0.76, [4 / 7.0, 2 / 7.0, 1 / 7.0, 0, 0] },
        { null, null, 0.9, [8 / 15.0, 4 / 15.0, 2 / 15.0, 1 / 15.0, 0] },
        { 0.5, null, null, [64 / 86.0, 16 / 86.0, 4 / 86.0, 1 / 86.0, 1 / 86.0] },
        { 0.5, 3, 0.9, [0.8, 0.2, 0, 0, 0] },
        { 2, 2, 0.58, [1, 0, 0, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(Distributions))]
    public void Next_DrawsAfterTemperatureTopKAndTopP(double? temperature, int? topK, double? topP, double[] expected)
    {
        var sampler = new Sampler(new() { Temperature = temperature, TopK = topK, TopP = topP });
        var counts = new double[Halves.Length];

        for (var i = 0; i < Draws; i++)
            counts[sampler.Next(Halves)]++;

        foreach (var (id, probability) in expected.Index())
        {
            var spread = Math.Sqrt(probability * (1 - probability) / Draws);
            Assert.InRange((counts[id] / Draws) - probability, -4.5 * spread, 4.5 * spread);
        }
    }

    [Theory]
    [InlineData(0.24, null, new[] { 4 / 7.0, 2 / 7.0, 1 / 7.0, 0, 0 })]
    [InlineData(0.26, null, new[] { 2 / 3.0, 1 / 3.0, 0, 0, 0 })]
    [InlineData(1.0, null, new[] { 1.0, 0, 0, 0, 0 })]
    [InlineData(null, 0.2, new[] { 0, 1.0, 0, 0, 0 })]
    [InlineData(null, 0.3, new[] { 2 / 3.0, 1 / 3.0, 0, 0, 0 })]
    [InlineData(null, 1.0, new[] { 0.5, 0.25, 0.125, 0.0625, 0.0625 })]
    public void Next_DrawsAfterMinPAndTypicalP(double? minP, double? typicalP, double[] expected)
    {
        var sampler = new Sampler(new() { MinP = minP, TypicalP = typicalP });
        var counts = new double[Halves.Length];

        for (var i = 0; i < Draws; i++)
            counts[sampler.Next(Halves)]++;

        foreach (var (id, probability) in expected.Index())
        {
            var spread = Math.Sqrt(probability * (1 - probability) / Draws);
            Assert.InRange((counts[id] / Draws) - probability, -4.5 * spread, 4.5 * spread);
        }
    }

    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(2, 0, 1)]
    [InlineData(1, 1.5, 2)]
    [InlineData(2, 1.5, 2)]
    public void Next_WithPenalties_AvoidsTokensThatAreThere(double repetition, double presence, int expected)
    {
        // Token 0 stands in prompt and answer, token 1 in the answer alone.
        var sampler = new Sampler(new() { RepetitionPenalty = repetition, PresencePenalty = presence });
        float[] logits = presence == 0 ? [4, 3, -1] : [2, 1.9f, 1.8f];
        long[] tokens = presence == 0 ? [0] : [0, 0, 1];

        Assert.Equal(expected, sampler.Next(logits, tokens, promptLength: 1));
    }

    [Theory]
    [InlineData(0, 0.5, new[] { 0, 1 })]
    [InlineData(0, 0.51, new[] { 0, 1, 2 })]
    [InlineData(0, 0.25, new[] { 0 })]
    [InlineData(2, 1.0, new[] { 0, 1, 2, 3 })]
    public void Next_WithEquallyLikelyTokens_CutsTopPByIdAndTopKNotAtAll(int topK, double topP, int[] expected)
    {
        var sampler = new Sampler(new() { TopK = topK, TopP = topP });

        var ids = Enumerable.Range(0, 300).Select(_ => sampler.Next([2, 2, 2, 2])).Distinct().Order();

        Assert.Equal(expected, ids);
    }

    [Fact]
    public void Next_WithLargeLogits_DoesNotOverflow()
    {
        var sampler = new Sampler(new() { Temperature = 1e-3 });

        var ids = Enumerable.Range(0, 50).Select(_ => sampler.Next([3e38f, -3e38f, float.NegativeInfinity, 2.9e38f]));

        Assert.All(ids, static id => Assert.Equal(0, id));
    }

    [Fact]
    public void Next_WhenGreedy_TakesTheFirstOfEquals()
    {
        Assert.Equal(1, new Sampler(new()).Next([0, 7, 7, -1]));
        Assert.Equal(1, new Sampler(new() { Temperature = 0, TopK = 3 }).Next([0, 7, 7, -1]));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Next_WithANumberThatIsNoLogit_NamesTheToken(float logit)
    {
        var error = Assert.Throws<NotFiniteNumberException>(() => new Sampler(new()).Next([0, 1, logit]));

        Assert.Contains("token 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Next_WithNoTokenAllowed_Throws()
    {
        var sampler = new Sampler(new() { VocabularySize = 1, TopK = 2 });

        Assert.Throws<SessionException>(() => sampler.Next([float.NegativeInfinity, 1]));
        Assert.Throws<SessionException>(() => sampler.Next([]));
    }

    [Fact]
    public void Next_NeverReturnsAMaskedOrFilteredToken()
    {
        var cases =
            from logits in Gen.NonEmptyListOf(Gen.Frequency(
                (5, Gen.Choose(-40, 40).Select(static v => v / 4f)), (1, Gen.Constant(float.NegativeInfinity))))
            from vocabulary in Gen.Choose(1, logits.Count)
            from temperature in Gen.Elements(0.01, 0.7, 1, 3, 1e6)
            from topK in Gen.Choose(0, 6)
            from topP in Gen.Choose(0, 20)
            from seed in Gen.Choose(0, int.MaxValue)
            where logits.Take(vocabulary).Any(float.IsFinite)
            select (Logits: logits.ToArray(), Options: new GenerationOptions
            {
                VocabularySize = vocabulary,
                Temperature = temperature,
                TopK = topK,
                TopP = topP / 20.0,
                Seed = seed,
            });

        Prop.ForAll(cases.ToArbitrary(), static c => Allowed(c.Logits, c.Options))
            .Check(Config.QuickThrowOnFailure.WithReplay(20, 1).WithMaxTest(2000));
    }

    /// <summary>Checks draws against the filters' definitions, written with sorting and sums over
    /// probabilities.</summary>
    private static bool Allowed(float[] logits, GenerationOptions options)
    {
        var sampler = new Sampler(options);
        var row = logits[..options.VocabularySize!.Value];
        var largest = row.Max();
        var scores = row.Select(l => Math.Exp((l - largest) / options.Temperature!.Value)).ToArray();
        var kth = options.TopK is > 0 and var k && k < row.Length
            ? row.OrderDescending().ElementAt(k - 1)
            : float.NegativeInfinity;
        var kept = scores.Select((s, i) => row[i] >= kth ? s : 0).ToArray();
        return Enumerable.Range(0, 20).Select(_ => sampler.Next(logits)).All(id =>
            id < row.Length
            && float.IsFinite(row[id])
            && kept[id] > 0
            && (id == Array.IndexOf(row, largest) || LikelierMass(kept, id) < options.TopP + 1e-12));
    }

    /// <summary>The probability of everything that is surely taken in before a token.</summary>
    private static double LikelierMass(double[] weights, int id) =>
        weights.Where(w => w > weights[id]).Sum() / weights.Sum();
}

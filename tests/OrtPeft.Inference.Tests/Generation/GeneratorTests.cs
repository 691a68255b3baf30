using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;

namespace OrtPeft.Inference.Tests.Generation;

public sealed class GeneratorTests
{
    private static readonly RuntimeOptions OneThread = new() { Threads = 1 };

    private static readonly int[][] Prompts =
        [[0], [100], [17, 3, 88], [5, 5, 5, 5, 5, 5, 5], [.. Enumerable.Range(20, 24)]];

    private static readonly GenerationOptions Greedy = new() { MaxNewTokens = 40 };

    private static readonly GenerationOptions Sampling =
        new() { MaxNewTokens = 40, Temperature = 1.3, TopK = 60, TopP = 0.95, Seed = 11 };

    /// <summary>As a masked language model does, every place sees all tokens.</summary>
    [Fact]
    public void Open_OfABidirectionalGraph_IsRefused()
    {
        var model = Fixture.Load(Fixture.NoPast);
        var logits = model.Graph.Outputs.First(static o => o.Name == "logits");
        var product = logits.Producer!;
        var hidden = product.Inputs[0]!;
        var g = GraphBuilder.Over(model);
        g.Before = product;
        product.SetInput(0, g.Add(hidden, g.Op("ReduceMean", [hidden], NodeAttribute.Of("axes", [1L]))));

        var error = Assert.Throws<GraphException>(() => Generator.Open(model, OneThread));

        Assert.Contains("bidirectional", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Fixture.Past)]
    [InlineData(Fixture.OlderPast)]
    [InlineData(Fixture.StackedPast)]
    [InlineData(Fixture.Merged)]
    public void Generate_WithCache_EqualsGenerationWithout(string graph)
    {
        using var cached = Open(graph);
        using var uncached = Open(Fixture.NoPast);

        var actual = Prompts.SelectMany(p => Both(cached, p)).ToArray();

        Assert.True(cached.HasCache);
        Assert.False(uncached.HasCache);
        Assert.Equal(Prompts.SelectMany(p => Both(uncached, p)), actual);
        Assert.Equal(Prompts.Length * 80, actual.Length);
        Assert.True(actual.Distinct().Count() > 30);
    }

    [Fact]
    public void Generate_WithoutCacheOutputs_RunsTheWholeSequenceEachStep()
    {
        var model = Fixture.Load(Fixture.Past);
        foreach (var present in model.Graph.Outputs.Skip(1).ToArray())
            model.Graph.RemoveOutput(present);
        PastRemoval.Run(model);
        using var cached = Open(Fixture.Past);
        using var uncached = Generator.Open(model, OneThread);

        var actual = uncached.Generate(Prompts[2], Sampling);

        Assert.Equal(cached.Generate(Prompts[2], Sampling), actual);
    }

    [Fact]
    public void Generate_WithFusedOperatorsAndInt32Inputs_EqualsGenerationWithoutCache()
    {
        var model = Fixture.Load(Fixture.Fused);
        var whole = model.Clone();
        foreach (var present in whole.Graph.Outputs.Skip(1).ToArray())
            whole.Graph.RemoveOutput(present);
        using var cached = Generator.Open(model, OneThread);
        using var uncached = Generator.Open(whole, OneThread);

        var actual = Prompts.SelectMany(p => Both(cached, p)).ToArray();

        Assert.Equal(Prompts.SelectMany(p => Both(uncached, p)), actual);
    }

    [Fact]
    public void Generate_WithPresentsOfOtherNames_PairsThemInOrder()
    {
        var model = Fixture.Load(Fixture.Past);
        foreach (var (index, present) in model.Graph.Outputs.Skip(1).ToArray().Index())
            model.Graph.Rename(present, $"cache_{index}");
        using var renamed = Generator.Open(model, OneThread);
        using var original = Open(Fixture.Past);

        var actual = renamed.Generate(Prompts[2], Greedy);

        Assert.Equal(original.Generate(Prompts[2], Greedy), actual);
    }

    [Fact]
    public void Generate_WhenSampling_RepeatsBySeed()
    {
        using var generator = Open(Fixture.Past);

        var first = generator.Generate(Prompts[1], Sampling).ToArray();
        var again = generator.Generate(Prompts[1], Sampling).ToArray();
        var other = generator.Generate(Prompts[1], Sampling with { Seed = 12 }).ToArray();

        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
    }

    [Fact]
    public void Generate_EnumeratedTwiceAtOnce_KeepsTheSequencesApart()
    {
        using var generator = Open(Fixture.Past);
        var tokens = generator.Generate(Prompts[2], Sampling);
        var expected = tokens.ToArray();

        var pairs = tokens.Zip(generator.Generate(Prompts[3], Sampling)).ToArray();

        Assert.Equal(expected, pairs.Select(static p => p.First));
    }

    [Theory]
    [InlineData(1, 1.0)]
    [InlineData(0, 1e-9)]
    [InlineData(5, 0.0)]
    public void Generate_WithOnlyTheLikeliestTokenLeft_EqualsGreedy(int topK, double topP)
    {
        using var generator = Open(Fixture.Past);
        var narrow = Greedy with { Temperature = 1.7, TopK = topK, TopP = topP, Seed = 3 };

        var actual = Prompts.Select(p => generator.Generate(p, narrow).ToArray());

        Assert.Equal(Prompts.Select(p => generator.Generate(p, Greedy).ToArray()), actual);
    }

    [Fact]
    public void Generate_WhenTheModelEndsTheText_StopsBeforeThatToken()
    {
        using var generator = Open(Fixture.Past);
        var all = generator.Generate(Prompts[2], Sampling).ToArray();
        var end = all[7];

        var tokens = generator.Generate(Prompts[2], Sampling with { EosTokenId = end });

        Assert.Equal(all.TakeWhile(t => t != end), tokens);
        Assert.Equal(FinishReason.EndOfText, tokens.FinishReason);
    }

    [Fact]
    public void Generate_AtMaxNewTokens_StopsForLength()
    {
        using var generator = Open(Fixture.Past);
        var tokens = generator.Generate(Prompts[2], Greedy with { MaxNewTokens = 6, ContextLength = 8 });

        Assert.Null(tokens.FinishReason);
        Assert.Equal(6, tokens.Count());
        Assert.Equal(FinishReason.Length, tokens.FinishReason);
    }

    [Theory]
    [InlineData(Fixture.Past)]
    [InlineData(Fixture.NoPast)]
    public void Generate_WhenTheContextIsFull_StopsAfterTheTokenThatFollows(string graph)
    {
        using var generator = Open(graph);
        var tokens = generator.Generate(Prompts[4], new() { MaxNewTokens = 1000, ContextLength = Fixture.Context });

        Assert.Equal(Fixture.Context - Prompts[4].Length + 1, tokens.Count());
        Assert.Equal(FinishReason.Context, tokens.FinishReason);
    }

    [Fact]
    public void Generate_WhenCancelled_StopsBetweenTokens()
    {
        using var generator = Open(Fixture.Past);
        using var source = new CancellationTokenSource();
        var taken = 0;

        void TakeAll()
        {
            foreach (var _ in generator.Generate(Prompts[2], Greedy, source.Token))
            {
                if (++taken == 4)
                    source.Cancel();
            }
        }

        Assert.Throws<OperationCanceledException>(TakeAll);
        Assert.Equal(4, taken);
    }

    [Theory]
    [InlineData(new int[0], "holds no token")]
    [InlineData(new[] { 1, 2, 3, 4, 5 }, "5 tokens; the model's context holds 4")]
    [InlineData(new[] { 1, 101 }, "Token 1 of the prompt is 101; the model's vocabulary is 0..100")]
    [InlineData(new[] { -1 }, "Token 0 of the prompt is -1")]
    public void Generate_WithAPromptThatCannotBeFed_SaysWhy(int[] prompt, string message)
    {
        using var generator = Open(Fixture.Past);

        var error = Assert.ThrowsAny<ArgumentException>(() => generator.Generate(prompt, new() { ContextLength = 4 }));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_AfterDispose_Throws()
    {
        var generator = Open(Fixture.Past);
        generator.Dispose();
        generator.Dispose();

        Assert.Throws<ObjectDisposedException>(() => generator.Generate([1]));
    }

    [Theory]
    [InlineData("logits")]
    [InlineData("input_ids")]
    [InlineData("attention_mask")]
    public void Open_WithAnExportersNames_FindsWhatTheyAreFor(string name)
    {
        using var original = Open(Fixture.Past);
        var model = Fixture.Load(Fixture.Past);
        model.Graph.Rename(model.Graph.Find(name)!, name == "attention_mask" ? "input_mask" : "tokens");

        using var renamed = Generator.Open(model, OneThread);

        Assert.Equal(original.Generate(Prompts[2], Greedy), renamed.Generate(Prompts[2], Greedy));
    }

    [Theory]
    [InlineData("present.1.key", "continues cache input 'past_key_values.1.key'; 'present.1.key' is expected")]
    public void Open_WithAGraphThatLacksAName_SaysWhichIsExpected(string name, string message)
    {
        var model = Fixture.Load(Fixture.Past);
        model.Graph.Rename(model.Graph.Find(name)!, "tokens");

        var error = Assert.Throws<GraphException>(() => Generator.Open(model));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 16)]
    [InlineData(3, 16)]
    [InlineData(16, 16)]
    [InlineData(2, 2)]
    public void Generate_InFixedAxes_EqualsGenerationUpToThatLength(int batch, int length)
    {
        var options = Sampling with { ContextLength = length };
        using var free = Open(Fixture.NoPast);
        using var windowed = Generator.Open(Fixed(Fixture.NoPast, batch, length), OneThread);
        var prompts = Prompts.Where(p => p.Length <= length).ToArray();

        var actual = prompts.Select(p => windowed.Generate(p, Sampling)).ToArray();

        Assert.Equal(length, windowed.FixedLength);
        Assert.Equal(prompts.SelectMany(p => free.Generate(p, options)), actual.SelectMany(static t => t));
        Assert.All(actual, static t => Assert.Equal(FinishReason.Context, t.FinishReason));
    }

    [Fact]
    public void Generate_InAFixedBatchWithCaches_EqualsGenerationOfOneRow()
    {
        var model = Fixture.Load(Fixture.Past);
        foreach (var input in model.Graph.Inputs)
            input.Shape = Shape.Create([.. input.Shape!.Select((d, axis) => axis == 0 ? (Dim)3 : d)]);
        using var one = Open(Fixture.Past);
        using var three = Generator.Open(model, OneThread);

        Assert.True(three.HasCache);
        Assert.Equal(Prompts.SelectMany(p => Both(one, p)), Prompts.SelectMany(p => Both(three, p)));
    }

    [Fact]
    public void Generate_OfAPromptBeyondTheFixedLength_SaysWhatItHolds()
    {
        using var windowed = Generator.Open(Fixed(Fixture.NoPast, 1, 4), OneThread);

        var error = Assert.Throws<SettingException>(() => windowed.Generate([1, 2, 3, 4, 5], Greedy));

        Assert.Contains("5 tokens; the model's context holds 4", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WhereOneTokenIsAllThatFits_SaysSo()
    {
        var model = Fixed(Fixture.NoPast, 3, 1);

        var error = Assert.Throws<GraphException>(() => Generator.Open(model));

        Assert.Contains("input_ids: Int64[3, 1] has fixed axes", error.Message, StringComparison.Ordinal);
        Assert.Equal(error.Message, Generator.WhyNot(model));
    }

    private static Model Fixed(string graph, int batch, int length)
    {
        var model = Fixture.Load(graph);
        foreach (var input in model.Graph.Inputs)
            input.Shape = [batch, length];
        return model;
    }

    private static Generator Open(string graph) => Generator.Open(Fixture.Load(graph), OneThread);

    private static IEnumerable<int> Both(Generator generator, int[] prompt) =>
        [.. generator.Generate(prompt, Greedy), .. generator.Generate(prompt, Sampling)];
}

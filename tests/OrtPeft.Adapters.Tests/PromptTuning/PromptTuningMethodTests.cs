using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.Tests.PromptLearning;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.PromptTuning;

public sealed class PromptTuningMethodTests
{
    private static readonly int[] Words = [11, 3, 8];

    private static readonly PromptTuningConfig OfWords = new()
    {
        NumVirtualTokens = 3,
        PromptTuningInit = "TEXT",
        PromptTuningInitText = "three words",
        InitTokenIds = Words,
    };

    /// <summary>A prompt of real tokens' embeddings must act as these tokens before the input.</summary>
    [Theory]
    [MemberData(nameof(Decoder.Cases), MemberType = typeof(Decoder))]
    public void Inject_WhenThePromptIsTokens_AnswersAsTheBaseBehindThem(string model, string padding)
    {
        var (given, batch) = (Decoder.Open(model), Decoder.Batch(padding));
        var longer = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Decoder.Before(batch["input_ids"], [.. Words.Select(static w => (long)w)]),
            ["attention_mask"] = Decoder.Before(batch["attention_mask"], 1, 1, 1),
        };

        var adapted = PeftModel.Create(given, OfWords);

        Assert.Equal(3, adapted.VirtualTokens);
        Assert.Equal(3, adapted.ReservedPositions);
        // The same sums, but that row 0 of a padded batch may be added up in blocks of another length.
        Near.Absolute(Decoder.Logits(given, longer), Decoder.Logits(adapted.Model, batch), 1e-5, "logits");
    }

    [Fact]
    public void Inject_WithGivenPositions_MovesThemBehindThePrompt()
    {
        var (given, batch) = (Decoder.Open(Gpt2.Imported), Decoder.Batch("left-padded"));
        var longer = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Decoder.Before(batch["input_ids"], 11, 3, 8),
            ["attention_mask"] = Decoder.Before(batch["attention_mask"], 1, 1, 1),
            ["position_ids"] = Tensor.Of<long>([0, 1, 2, 4, 4, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 7, 8], [2, 9]),
        };
        batch["position_ids"] = Tensor.Of<long>([1, 1, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5], [2, 6]);

        var adapted = PeftModel.Create(given, OfWords);

        Near.Absolute(Decoder.Logits(given, longer), Decoder.Logits(adapted.Model, batch), 1e-5, "logits");
    }

    [Fact]
    public void Inject_FillsInWhatTheModelSays()
    {
        var config = PeftModel.Create(Decoder.Open("llama"), new PromptTuningConfig { NumVirtualTokens = 2 }).Config;

        var resolved = Assert.IsType<PromptTuningConfig>(config);
        Assert.Equal((16, 4, 2), (resolved.TokenDim, resolved.NumAttentionHeads, resolved.NumLayers));
    }

    [Fact]
    public void Inject_OfMoreTokensThanAnArrayHolds_IsRefused()
    {
        var config = new PromptTuningConfig { NumVirtualTokens = int.MaxValue };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config));

        Assert.Contains($"[{int.MaxValue}, ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Inject_WithSampledTokens_StartsWithRowsOfTheVocabulary()
    {
        var model = Gpt2.Open(Gpt2.Imported);
        var table = model.Graph.Find("transformer.wte.weight")!.Initializer!.ToFloat32().Chunk(32).ToArray();

        var config = new PromptTuningConfig { NumVirtualTokens = 5, PromptTuningInit = "SAMPLE_VOCAB" };
        var prompt = PeftModel.Create(model, config, seed: 6).GetWeights()["prompt_embeddings"];

        Assert.Equal([5L, 32], prompt.Dims.AsEnumerable());
        var rows = prompt.ToFloat32().Chunk(32).ToArray();
        Assert.All(rows, row => Assert.Contains(table, t => t.SequenceEqual(row)));
        Assert.True(rows.DistinctBy(static r => r[0]).Count() > 1);
    }

    [Theory]
    [InlineData(2, new[] { 9, 4 })]
    [InlineData(5, new[] { 9, 4, 7, 9, 4 })]
    public void Inject_WithText_RepeatsOrCutsItsTokens(int count, int[] expected)
    {
        var model = Gpt2.Open(Gpt2.Imported);
        var table = model.Graph.Find("transformer.wte.weight")!.Initializer!.ToFloat32().Chunk(32).ToArray();

        var config = OfWords with { NumVirtualTokens = count, InitTokenIds = [9, 4, 7] };
        var prompt = PeftModel.Create(model, config).GetWeights()["prompt_embeddings"];

        Assert.Equal(expected.SelectMany(t => table[t]), prompt.ToFloat32());
    }

    [Fact]
    public void Load_OfAPromptThatBeganAsText_NeedsNoTokenizer()
    {
        using var folder = new TemporaryFolder();
        var model = Gpt2.Open(Gpt2.Imported);
        var adapted = PeftModel.Create(model, OfWords);
        adapted.Save(folder.Path);

        var loaded = PeftModel.Load(model, folder.Path);

        var (expected, actual) = (adapted.GetWeights()["prompt_embeddings"], loaded.GetWeights()["prompt_embeddings"]);
        Assert.Equal(expected.ToFloat32(), actual.ToFloat32());
        Assert.Equal("three words", Assert.IsType<PromptTuningConfig>(loaded.Config).PromptTuningInitText);
    }

    [Theory]
    [InlineData("hf442_g2l_static3x11_op13.onnx", "input_ids: Int64[3, 11]")]
    [InlineData("hf442_g2l_nopast_op13.onnx", "Token 101", 4, 101)]
    [InlineData("hf442_g2l_nopast_op13.onnx", "makes no token")]
    [InlineData("hf442_g2l_nopast_op13.onnx", "num_virtual_tokens is 0", 0, 1)]
    public void Create_WhenItCannotBe_SaysWhy(string graph, string message, int count = 3, params int[] tokens)
    {
        var model = OnnxFile.Load(Fixtures.Graph(graph));
        var config = OfWords with { NumVirtualTokens = count, InitTokenIds = tokens };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(model, config));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WithTextAndNoTokens_SaysThatATokenizerIsMissing()
    {
        var config = OfWords with { InitTokenIds = null };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config));

        Assert.Contains("no tokenizer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WithoutATokenEmbedding_SaysWhatIsMissing()
    {
        var error = Assert.Throws<ConfigException>(
            static () => PeftModel.Create(SmallGraphs.Linear(), new PromptTuningConfig()));

        Assert.Contains("no input 'input_ids'", error.Message, StringComparison.Ordinal);
    }
}

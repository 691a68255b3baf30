using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.Tests.PromptLearning;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.PrefixTuning;

public sealed class PrefixTuningMethodTests
{
    private const int Count = 3;

    private static readonly PrefixTuningConfig Config = new() { NumVirtualTokens = Count };

    /// <summary>A prefix is a past: the base with the prefix in its cache must give the same.</summary>
    [Theory]
    [MemberData(nameof(Decoder.Cases), MemberType = typeof(Decoder))]
    public void Inject_AnswersAsTheBaseWithThePrefixInItsCache(string model, string padding)
    {
        var (given, batch) = (Decoder.Open(model), Decoder.Batch(padding));
        var adapted = PeftModel.Create(given, Config);
        var table = Decoder.Random("prefix", [.. adapted.GetWeights()["prompt_embeddings"].Dims]);
        adapted.SetWeights(new Dictionary<string, Tensor> { ["prompt_embeddings"] = table });
        var behind = Pasts(given.Graph, table, rows: 2);
        behind["input_ids"] = batch["input_ids"];
        behind["attention_mask"] = Decoder.Before(batch["attention_mask"], 1, 1, 1);
        behind["position_ids"] = Tensor.Of<long>([3, 4, 5, 6, 7, 8, 3, 4, 5, 6, 7, 8], [2, 6]);

        var logits = Decoder.Logits(adapted.Model, batch);

        Assert.Equal(0, adapted.VirtualTokens);
        Assert.Equal(Count, adapted.ReservedPositions);
        // One softmax over the same scores; the values are added up in two parts instead of one.
        Near.Absolute(Decoder.Logits(given, behind), logits, 1e-5, "logits");
    }

    /// <summary>Where the graph states lengths in numbers, the weights have more columns than it states.</summary>
    [Fact]
    public void Inject_WhereAxesAreFixed_AnswersAsWhereTheyAreNot()
    {
        var ids = Tensor.Of<long>([.. Enumerable.Range(0, 33).Select(static i => (long)(i * 7 % 50))], [3, 11]);
        var batch = new Dictionary<string, Tensor>
        {
            ["input_ids"] = ids,
            ["attention_mask"] = Tensor.Of<long>([.. Enumerable.Repeat(1L, 33)], [3, 11]),
        };

        var (stated, open) = (Adapted("hf442_g2l_static3x11_op13.onnx"), Adapted("hf442_g2l_nopast_op13.onnx"));

        Near.Absolute(Decoder.Logits(open, batch), Decoder.Logits(stated, batch), 1e-5, "logits");

        static Model Adapted(string graph)
        {
            var adapted = PeftModel.Create(Decoder.Open(graph), Config);
            var table = Decoder.Random("prefix", [.. adapted.GetWeights()["prompt_embeddings"].Dims]);
            adapted.SetWeights(new Dictionary<string, Tensor> { ["prompt_embeddings"] = table });
            return adapted.Model;
        }
    }

    [Fact]
    public void Inject_LeavesTheCacheToTheInput()
    {
        var given = Decoder.Open("llama");
        var batch = Decoder.Batch("plain");

        var adapted = PeftModel.Create(given, Config).Model;

        var present = OnnxRun.Of(adapted, Feeds.Of(adapted.Graph, batch))["present.1.value"];
        Assert.Equal([2L, 2, 6, 4], present.Dims.AsEnumerable());
    }

    [Theory]
    [InlineData(Gpt2.Imported, 32, 4)]
    [InlineData("llama", 8, 2)]
    [InlineData("llama, tied, one head each", 16, 4)]
    public void Inject_FillsInTheHeadsOfTheKeys(string model, int width, int heads)
    {
        var adapted = PeftModel.Create(Decoder.Open(model), Config);

        var resolved = Assert.IsType<PrefixTuningConfig>(adapted.Config);
        Assert.Equal((width, heads, 2), (resolved.TokenDim, resolved.NumAttentionHeads, resolved.NumLayers));
        Assert.Equal(width, resolved.EncoderHiddenSize);
        var prefix = adapted.GetWeights()["prompt_embeddings"];
        Assert.Equal([Count, 2L * 2 * width], prefix.Dims.AsEnumerable());
    }

    /// <summary>With keys of 0 each prefix score is 0, as if a token of score 0 said nothing.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Inject_WithZeroWeights_StartsWithKeysAndValuesOfZero(bool isProjected)
    {
        using var folder = new TemporaryFolder();
        var config = Config with { InitWeights = "zero", PrefixProjection = isProjected };

        PeftModel.Create(Gpt2.Open(Gpt2.Imported), config, seed: 2).Save(folder.Path);

        var saved = Assert.Single(AdapterFolder.LoadWeights(folder.Path)).Value;
        Assert.All(saved.ToFloat32(), static v => Assert.Equal(0, v));
    }

    [Fact]
    public void Save_WithProjection_WritesWhatTheProjectionMakes()
    {
        using var folder = new TemporaryFolder();
        var batch = Decoder.Batch("plain");
        var adapted = PeftModel.Create(
            Decoder.Open("llama"), Config with { PrefixProjection = true, EncoderHiddenSize = 5 }, seed: 2);
        adapted.Save(folder.Path);

        var loaded = PeftModel.Load(Decoder.Open("llama"), folder.Path);

        Assert.Equal(5, adapted.Parameters.Count);
        Assert.Equal("prompt_embeddings", Assert.Single(loaded.Parameters).Name);
        Near.Absolute(Decoder.Logits(adapted.Model, batch), Decoder.Logits(loaded.Model, batch), 1e-5, "logits");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Create_WhenPositionsCannotBeMoved_SaysSo(bool areDistances)
    {
        var model = OnnxFile.Load(Fixtures.Graph("nanogpt_g2l_op13.onnx"));
        CanonicalForm.Apply(model);
        var g = GraphBuilder.Over(model);
        var positions = model.Graph.Nodes.Single(static n =>
            n.Is("Gather") && n.Inputs[0]!.Name.EndsWith("wpe.weight", StringComparison.Ordinal));
        g.Before = positions;
        var counted = positions.Inputs[1]!;
        positions.SetInput(1, areDistances ? g.Sub(counted, counted) : g.Int64(2, 0, 1));

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(model, Config));

        Assert.Contains("position_ids", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WithoutAttention_SaysSo()
    {
        var error = Assert.Throws<ConfigException>(static () => PeftModel.Create(SmallGraphs.Linear(), Config));

        Assert.Contains("no attention was found", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("token_dim", 64)]
    [InlineData("num_layers", 3)]
    [InlineData("num_attention_heads", 2)]
    public void Create_WhenTheFileDescribesAnotherModel_SaysWhatDiffers(string field, int value)
    {
        var config = field switch
        {
            "token_dim" => Config with { TokenDim = value },
            "num_layers" => Config with { NumLayers = value },
            _ => Config with { NumAttentionHeads = value },
        };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Gpt2.Open(Gpt2.Imported), config));

        Assert.Contains($"{field} is {value}", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Caches that hold the prefix, by HF PEFT's layout of the table.</summary>
    private static Dictionary<string, Tensor> Pasts(Graph graph, Tensor table, int rows)
    {
        var pasts = graph.Inputs.Where(CacheInputs.IsPast).ToArray();
        var isStacked = pasts[0].Shape!.Rank == 5;
        var (heads, width) = isStacked
            ? (pasts[0].Shape![2].Value!.Value, pasts[0].Shape![4].Value!.Value)
            : (pasts[0].Shape![1].Value!.Value, pasts[0].Shape![3].Value!.Value);
        var feeds = new Dictionary<string, Tensor>();
        foreach (var (index, past) in pasts.Index())
        {
            int[] blocks = isStacked ? [2 * index, (2 * index) + 1] : [index];
            var each = blocks.Select(block => Block(table, block, heads, width));
            var values = each.SelectMany(v => Enumerable.Repeat(v, rows)).SelectMany(static v => v).ToArray();
            feeds[past.Name] = Tensor.Of<float>(
                values, isStacked ? [2, rows, heads, Count, width] : [rows, heads, Count, width]);
        }

        return feeds;
    }

    /// <summary>From columns [block · heads · width …] of every row to <c>[heads, P, width]</c>.</summary>
    private static float[] Block(Tensor table, int block, long heads, long width)
    {
        var (all, columns) = (table.ToFloat32(), table.Dims[1]);
        var values =
            from head in Enumerable.Range(0, (int)heads)
            from row in Enumerable.Range(0, Count)
            from i in Enumerable.Range(0, (int)width)
            select all[(row * columns) + (((block * heads) + head) * width) + i];
        return [.. values];
    }
}

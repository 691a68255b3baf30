using System.Text.Json.Nodes;
using OrtPeft.Adapters.Merging;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Serving.Embeddings;
using OrtPeft.Serving.Engine;
using OrtPeft.Serving.Texts;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Serving.Tests.Embeddings;

public sealed class EmbeddingTests
{
    private const string Words = "Gets the value of the given key.";

    public static TheoryData<string> Modes => [.. HiddenPool.Modes.Select(static m => m.Name)];

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Embed_WithEachPooling_IsWhatOnnxRuntimesStatesGive(string mode)
    {
        using var folder = new SentenceFolder(mode);
        using var served = folder.Open();
        foreach (var adapter in new[] { null, "one" })
        {
            var expected = SentenceFolder.Normalized(SentenceFolder.Pooled(folder.States(Words, adapter is not null), mode));

            var found = await Embed(served, adapter, Words);

            Near(expected, found);
        }

        Assert.True(Distance(await Embed(served, null, Words), await Embed(served, "one", Words)) > 1e-2);
    }

    [Fact]
    public async Task Embed_WithOlderFlagsAndWithoutNormalize_PutsVectorsSideBySide()
    {
        using var folder = new SentenceFolder();
        folder.Write("modules.json", SentenceFolder.Modules("Transformer", "Pooling"));
        folder.Write("1_Pooling/config.json", new JsonObject
        {
            ["word_embedding_dimension"] = 128,
            ["pooling_mode_cls_token"] = false,
            ["pooling_mode_mean_tokens"] = true,
            ["pooling_mode_max_tokens"] = true,
            ["pooling_mode_lasttoken"] = false,
        });
        using var served = folder.Open();
        var states = folder.States(Words, isAdapted: false);

        var found = await Embed(served, null, Words);
        var cut = await Embed(served, null, Words, dimensions: 5);

        Assert.Equal(256, served.EmbeddingWidth);
        double[] expected = [.. SentenceFolder.Pooled(states, "max"), .. SentenceFolder.Pooled(states, "mean")];
        Near(expected, found);
        Near(expected[..5], cut);
    }

    [Fact]
    public async Task Embed_WithFewerDimensions_HasTheLengthOneAgain()
    {
        using var folder = new SentenceFolder("lasttoken");
        using var served = folder.Open();
        var all = await Embed(served, "one", Words);

        var cut = await Embed(served, "one", Words, dimensions: 7);

        Near(SentenceFolder.Normalized([.. all.Take(7).Select(static v => (double)v)]), cut);
        await Assert.ThrowsAsync<SettingException>(() => Embed(served, null, Words, dimensions: 129));
    }

    /// <summary>Texts of several lengths with and without the adapter, and answers, all at once.</summary>
    [Fact]
    public async Task Embed_InACrowd_GivesEachWhatItGetsAlone()
    {
        using var folder = new SentenceFolder();
        using var served = folder.Open(new ServingOptions { MaxBatch = 4 });
        (string? Adapter, string Text)[] asked =
            [.. Enumerable.Range(1, 24).Select(i => (i % 2 == 0 ? "one" : null, string.Concat(Enumerable.Repeat("Gets the value. ", 1 + (i % 5)))))];
        var alone = new List<float[]>();
        foreach (var (adapter, text) in asked)
            alone.Add(await Embed(served, adapter, text));
        var answer = await Answer(served);

        var answers = Enumerable.Range(0, 4).Select(_ => Answer(served)).ToArray();
        var together = await Task.WhenAll(asked.Select(a => Embed(served, a.Adapter, a.Text)));

        Assert.Equal(alone, together);
        Assert.All(await Task.WhenAll(answers), a => Assert.Equal(answer, a));
        Assert.Equal((0, 0), (served.Running, served.Waiting));
    }

    [Fact]
    public async Task Embed_OfAGraphWithoutAHead_IsTheSameAndAnswersAreRefused()
    {
        using var folder = new SentenceFolder();
        var expected = SentenceFolder.Normalized(SentenceFolder.Pooled(folder.States(Words, isAdapted: false), "mean"));
        TakeHeadOff(folder);
        using var served = folder.Open();

        var found = await Embed(served, null, Words);

        Near(expected, found);
        Assert.Null(served.WhyNoEmbeddings);
        Assert.Null(served.WhyAlone);
        Assert.Throws<NotSupportedException>(() => served.Start(
            new TextRequest { Prompt = [1], Options = new() { MaxNewTokens = 1 } }, CancellationToken.None));
        await served.EmbedAsync(null, [2047], null, CancellationToken.None);
        await Assert.ThrowsAsync<SettingException>(() => served.EmbedAsync(null, [2048], null, CancellationToken.None));
    }

    [Fact]
    public async Task Embed_WithALimitAndAPrompt_FollowsThem()
    {
        using var folder = new SentenceFolder();
        folder.Write("sentence_bert_config.json", """{"max_seq_length": 9, "do_lower_case": false}""");
        folder.Write("config_sentence_transformers.json", """{"prompts": {"query": "Sets "}, "default_prompt_name": "query"}""");
        using var served = folder.Open();

        Near(
            SentenceFolder.Normalized(SentenceFolder.Pooled(folder.States("Sets the value", isAdapted: false), "mean")),
            await Embed(served, null, "the value"));
        var error = await Assert.ThrowsAsync<SettingException>(() => Embed(served, null, string.Concat(Enumerable.Repeat(Words, 9))));
        Assert.Contains("holds 9", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("modules.json", "{", "modules.json: it is not JSON")]
    [InlineData("modules.json", "{}", "modules.json: it is not in the form")]
    [InlineData("modules.json", "[]", "it names no Pooling")]
    [InlineData("modules.json", """[{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": "../1_Pooling"}]""", "a Pooling in '../1_Pooling'")]
    [InlineData("modules.json", """[{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": "1_Pooling"}, {"type": "x.Dense", "path": "2_Dense"}]""", "a Dense in '2_Dense'")]
    [InlineData("1_Pooling/config.json", """{"pooling_mode": "median"}""", "the mode 'median' is not known; known are cls, max, mean")]
    [InlineData("1_Pooling/config.json", """{"pooling_mode": []}""", "pooling_mode is empty")]
    [InlineData("1_Pooling/config.json", """{"pooling_mode_mean_tokens": false}""", "no mode is true")]
    [InlineData("1_Pooling/config.json", """{"pooling_mode_median_tokens": true}""", "pooling_mode_median_tokens is not known")]
    [InlineData("1_Pooling/config.json", """{"include_prompt": false}""", "include_prompt")]
    [InlineData("1_Pooling/config.json", """{"word_embedding_dimension": 64}""", "states 64 numbers, and the hidden states have 128")]
    [InlineData("sentence_bert_config.json", """{"do_lower_case": true}""", "do_lower_case is true")]
    [InlineData("config_sentence_transformers.json", """{"default_prompt_name": "query"}""", "config_sentence_transformers.json")]
    public async Task Open_WithWhatCannotBeFollowed_SaysSoAndAnswersAllTheSame(string file, string content, string said)
    {
        using var folder = new SentenceFolder();
        folder.Write(file, content);
        using var served = folder.Open();

        var error = await Assert.ThrowsAsync<NotSupportedException>(() => Embed(served, null, Words));

        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, served.EmbeddingWidth);
        Assert.NotEmpty(await Answer(served));
    }

    [Fact]
    public async Task Open_WithoutModules_SaysWhatToPutThere()
    {
        using var folder = new SentenceFolder();
        File.Delete(Path.Combine(folder.Model, "modules.json"));
        using var served = folder.Open();

        var error = await Assert.ThrowsAsync<NotSupportedException>(() => Embed(served, null, Words));

        Assert.Contains("put sentence-transformers' modules.json and 1_Pooling/config.json beside it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OfAGraphWithoutAHeadThatCannotBePooled_IsRefused()
    {
        using var folder = new SentenceFolder();
        TakeHeadOff(folder);
        folder.Write("1_Pooling/config.json", """{"word_embedding_dimension": 64}""");

        var error = Assert.Throws<GraphException>(() => folder.Open());

        Assert.Contains("has no logits", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A long text's states come part by part over the cache.</summary>
    [Theory]
    [InlineData("graphs/hf442_g2l_past_op17.onnx", "peft_ckpt/g2l_lora_all_randB")]
    [InlineData("genai/llama-fp32/model.onnx", "genai/llama-adapter-peft")]
    [InlineData("genai/llama-int4/model.onnx", "genai/llama-adapter-peft")]
    [InlineData("genai/qwen2-fp32/model.onnx", "genai/qwen2-adapter-peft")]
    public void Pool_InParts_IsThePoolOfTheWhole(string graph, string adapter)
    {
        var model = DecoderNaming.Named(OnnxFile.Load(Path.Combine(Fixtures.Folder, graph)));
        var (slots, factors) = LoraSlots.Of(model, canonical => [Engine.Engines.Read(canonical, adapter)], isOpen: false);
        using var runs = DecoderRuns.Open(slots, Engine.Engines.OneThread, HiddenStates.OutputOf(slots.Model.Graph));
        var slot = runs.Slots.Add(factors[0]);
        var pooling = new TextPooling { Modes = [.. HiddenPool.Modes.Select(static m => m.Name)] };
        long[] tokens = [5, 9, 3, 7, 7, 1, 12];
        var (whole, parts) = (new HiddenPool(pooling), new HiddenPool(pooling));
        using var row = new EngineRow(slot, tokens);
        using var growing = new EngineRow(slot, tokens[..3]);

        runs.Pool(row, whole);
        runs.Pool(growing, parts);
        growing.Ids.AddRange(tokens[3..]);
        runs.Pool(growing, parts);

        Near([.. whole.Result(null).Select(static v => (double)v)], parts.Result(null));
        Assert.True(Distance(whole.Result(null)[..whole.Width], whole.Result(null)[^whole.Width..]) > 0.1);
    }

    /// <summary>As BERT's with its head: what it says of a place is no token that comes next, and a layer and a norm of the
    /// head's own come before its product, so that it reads no hidden states.</summary>
    [Fact]
    public void Open_OfAModelWithAHeadThatIsNoDecoder_SaysHowToExportIt()
    {
        using var folder = new SentenceFolder();
        var model = folder.Text.Source.Model.Clone();
        var hidden = SentenceFolder.LastNorm(model.Graph);
        var readers = hidden.Uses.Select(static u => u.Node).ToArray();
        var g = GraphBuilder.Over(model);
        g.Before = readers[0];
        var mixed = g.Add(hidden, g.ReduceMean(hidden, [1]));
        model.Graph.ReplaceAllUsesWith(hidden, mixed, [.. hidden.Uses.Select(static u => u.Node).Except(readers)]);
        OnnxFile.Save(model, Path.Combine(folder.Model, "model.onnx"), new OnnxSaveOptions());

        var error = Assert.Throws<GraphException>(() => folder.Open());

        Assert.Contains("bidirectional", error.Message, StringComparison.Ordinal);
        Assert.Contains("for feature extraction", error.Message, StringComparison.Ordinal);
    }

    /// <summary>As Optimum exports a model for feature extraction; with an input that encoders have.</summary>
    private static void TakeHeadOff(SentenceFolder folder)
    {
        var model = folder.Text.Source.Model.Clone();
        var hidden = SentenceFolder.LastNorm(model.Graph);
        model.Graph.AddOutput(hidden);
        OutputRemoval.Run(model, model.Graph.Outputs.Where(static o => o.Name == DecoderNames.Logits));
        model.Graph.Rename(hidden, "last_hidden_state");
        model.Graph.AddInput("token_type_ids", ElementType.Int64, model.Graph.Find(DecoderNames.Ids)!.Shape);
        OnnxFile.Save(model, Path.Combine(folder.Model, "model.onnx"), new OnnxSaveOptions());
    }

    private static Task<float[]> Embed(ServedModel served, string? adapter, string text, int? dimensions = null) =>
        served.EmbedAsync(adapter, served.EmbeddedOf(text), dimensions, CancellationToken.None);

    private static async Task<string> Answer(ServedModel served)
    {
        using var stream = served.Start(
            new TextRequest { Prompt = served.PromptOf("Gets"), Model = "one", Options = new() { MaxNewTokens = 6 } },
            CancellationToken.None);
        var text = "";
        await foreach (var piece in stream.ReadAsync(CancellationToken.None))
            text += piece.Text;
        return text;
    }

    private static void Near(double[] expected, float[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        var largest = expected.Max(Math.Abs);
        Assert.All(expected.Zip(found), p => Assert.Equal(p.First, p.Second, 2e-5 * Math.Max(1, largest)));
    }

    private static double Distance(float[] one, float[] other) => one.Zip(other, static (a, b) => Math.Abs(a - b)).Max();
}

using System.Text.Json;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Initialization;
using OrtPeft.Models.Llama;
using OrtPeft.Models.Tests.Families;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Tests.Checkpoints.Gguf;

/// <summary>GGUF files as models.</summary>
public sealed class GgufModelTests
{
    private const uint F16 = 1;
    private const uint BF16 = 30;

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    [InlineData("phi3")]
    [InlineData("granite")]
    [InlineData("olmo2")]
    [InlineData("mixtral")]
    public void ToModel_GivesHfsLossAndTokens(string family)
    {
        using var folder = new TemporaryFolder();
        using var golden = new FamilyGolden(family, Model(folder, GgufDraft.Of(Fixture.Path($"families/{family}"))));

        var sums = golden.ComputeRowSums();

        Assert.All(sums.Zip(golden.RowSums), static s => Assert.InRange(s.First / s.Second, 1 - 1e-6, 1 + 1e-6));
        Assert.Equal(golden.Greedy, golden.Generate(golden.Greedy.Length));
    }

    /// <summary>llama.cpp turns the heads of all layers but each fourth, and makes the shares of Qwen 3's experts add up to 1.</summary>
    [Theory]
    [InlineData("smollm3", "no_rope_layers", "[1, 1]")]
    [InlineData("qwen3_moe", "norm_topk_prob", "true")]
    public void ToModel_OfWhatLlamaCppTakesAsGiven_GivesHfsLossWithIt(string family, string field, string value)
    {
        using var folder = new TemporaryFolder();

        MustGiveHfsLoss(folder, family, config => config[field] = JsonNode.Parse(value));
    }

    /// <summary>Qwen 2's mixture has an expert for every token; its gate is a vector in some files.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ToModel_OfASharedExpert_IsHfsModel(bool isGateAVector)
    {
        using var folder = new TemporaryFolder();
        var json = JsonNode.Parse(File.ReadAllText(Fixture.Path("families/qwen3_moe/config.json")))!.AsObject();
        (json["model_type"], json["num_experts"], json["shared_expert_intermediate_size"]) = ("qwen2_moe", 4, 48);
        json.Remove("num_local_experts");
        File.WriteAllText(folder["config.json"], json.ToJsonString());
        ModelInitializer.Write(ModelFamilies.Read(folder["config.json"]), 4, folder.Path);
        File.WriteAllText(folder["config.json"], json.ToJsonString());
        var draft = GgufDraft.Of(folder.Path);
        for (var i = 0; i < draft.Tensors.Count; i++)
        {
            if (isGateAVector && draft.Tensors[i].Dims is [1, var width])
                draft.Tensors[i] = draft.Tensors[i] with { Dims = [width] };
        }

        using var ours = new FamilyGolden("qwen2", Model(folder, draft));
        using var hfs = new FamilyGolden("qwen2", HfCheckpoint.Open(folder.Path).ToModel());

        MustAgree(ours, hfs);
    }

    /// <summary>A tensor that llama.cpp reads and HF's model has no place for is not passed over.</summary>
    [Fact]
    public void Open_WithABiasThatHfDoesNotHave_IsRefused()
    {
        using var folder = new TemporaryFolder();
        var draft = GgufDraft.Of(Fixture.Path("families/mixtral"));
        draft.Tensors.Add(("blk.0.attn_q.bias", [32], 0, new byte[128]));
        File.WriteAllBytes(folder["m.gguf"], draft.ToBytes());

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder["m.gguf"]));

        Assert.Contains("'model.layers.0.self_attn.q_proj.bias', which mixtral models of HF do not have", error.Message, StringComparison.Ordinal);
    }

    /// <summary>llama.cpp scales Gemma's scores by a head's size; a GGUF file does not tell of another number.</summary>
    [Theory]
    [InlineData("gemma2")]
    [InlineData("gemma3")]
    public void ToModel_OfGemma_GivesHfsLossWithAHeadsScale(string family)
    {
        using var folder = new TemporaryFolder();

        MustGiveHfsLoss(folder, family, config =>
        {
            config["query_pre_attn_scalar"] = 16;
            if (family == "gemma3") // a layer of six sees all
                config["layer_types"] = new JsonArray("sliding_attention", "sliding_attention");
        });
    }

    /// <summary>What llama.cpp quantised, with its own logits over the numbers that it makes of that again.</summary>
    [Theory]
    [InlineData("small-Q4_0", true)]
    [InlineData("small-Q4_0", false)]
    [InlineData("wide-Q4_K_M", true)]
    [InlineData("wide-Q4_K_M", false)]
    public void ToModel_OfAQuantisedFile_GivesLlamaCppsLogits(string name, bool asFloat)
    {
        var model = HfCheckpoint.Open(Fixture.Path($"gguf/{name}.gguf"), Assert.Fail).ToModel(asFloat);
        using var golden = new FamilyGolden("llama", model);
        using var expected = JsonDocument.Parse(File.ReadAllText(Fixture.Path($"gguf/{name}.json")));

        var logits = golden.Run(golden.Prompt, 0, null)["logits"].ToFloat32()[^256..];

        var own = expected.RootElement.GetProperty("logits").EnumerateArray().Select(static e => e.GetSingle());
        Assert.All(logits.Zip(own), static l => Assert.InRange(l.First - l.Second, -2e-4, 2e-4));
        Assert.Equal(
            expected.RootElement.GetProperty("tokens").EnumerateArray().Select(static e => e.GetInt64()), golden.Generate(10));
        Assert.Equal(!asFloat, model.Graph.Nodes.Any(static n => n.OpType == "DequantizeLinear"));
    }

    [Theory]
    [InlineData(F16)]
    [InlineData(BF16)]
    public void ToModel_OfHalfPrecision_IsThatModel(uint type)
    {
        using var folder = new TemporaryFolder();
        var draft = GgufDraft.Of(Fixture.Path("families/qwen2"), numbers => (type, [.. numbers.SelectMany(Halves)]));

        using var golden = new FamilyGolden("qwen2", Model(folder, draft));

        Assert.All(
            golden.ComputeRowSums().Zip(golden.RowSums), static s => Assert.InRange(s.First / s.Second, 1 - 2e-2, 1 + 2e-2));

        byte[] Halves(float n) => type == F16
            ? BitConverter.GetBytes((Half)n)
            : BitConverter.GetBytes(BitConverter.SingleToUInt32Bits(n))[2..];
    }

    /// <summary>Llama 3 has its divisors in a tensor, and not where they came from.</summary>
    [Theory]
    [InlineData(true, "llama3")]
    [InlineData(false, "longrope")]
    public void Open_WithDivisors_FindsTheScaling(bool isLlama3, string type)
    {
        using var folder = new TemporaryFolder();
        var draft = GgufDraft.Of(Fixture.Path("families/llama"));
        float[] divisors = isLlama3 ? [1, 1, 1, 8] : [1, 2, 3, 4];
        if (isLlama3)
        {
            // a base at which the third pair still turns more than four times in 8192, and the last less than once
            draft.Metadata.RemoveAll(static m => m.Key == "llama.rope.freq_base");
            draft.Add("llama.rope.freq_base", 100_000f);
        }

        draft.Tensors.Add(("rope_freqs.weight", [4], 0, GgufDraft.Bytes(divisors)));
        File.WriteAllBytes(folder["m.gguf"], draft.ToBytes());

        var config = (LlamaConfig)HfCheckpoint.Open(folder["m.gguf"]).Config;

        Assert.Equal(type, config.RopeScaling!.Type);
    }

    /// <summary>What llama.cpp would compute with and this does not read is refused by its name.</summary>
    [Theory]
    [InlineData("llama.attention.clamp_kqv", 8f)]
    [InlineData("llama.attention.causal", false)]
    [InlineData("llama.attention.scale", 0.3f)]
    [InlineData("llama.attention.sliding_window", 4u)]
    [InlineData("llama.logit_scale", 2f)]
    [InlineData("llama.rope.scaling.attn_factor", 2f)]
    [InlineData("llama.rope.scaling.type", "dynamic")]
    [InlineData("llama.rope.scaling.yarn_ext_factor", 0.5f)]
    [InlineData("llama.rope.freq_base_swa", 5f)]
    [InlineData("general.type", "adapter")]
    [InlineData("split.count", 3u)]
    public void Open_WithMetadataThatChangesNumbers_IsRefusedByName(string key, object value)
    {
        using var folder = new TemporaryFolder();
        var draft = GgufDraft.Of(Fixture.Path("families/llama"));
        Put(draft, key, value);
        File.WriteAllBytes(folder["m.gguf"], draft.ToBytes());

        var error = Assert.Throws<OnnxFormatException>(() => HfCheckpoint.Open(folder["m.gguf"]));

        Assert.Contains(key == "split.count" ? "--merge m.gguf" : key, error.Message, StringComparison.Ordinal);
    }

    /// <summary>The same keys with the values that llama.cpp takes without them, and those of files and tasks.</summary>
    [Fact]
    public void Open_WithMetadataThatChangesNothing_IsThatModel()
    {
        using var folder = new TemporaryFolder();
        var draft = GgufDraft.Of(Fixture.Path("families/llama"));
        foreach (var (key, value) in (ReadOnlySpan<(string, object)>)
            [
                ("attention.causal", true), ("attention.clamp_kqv", 0f), ("expert_count", 0u), ("expert_used_count", 0u),
                ("rope.scaling.attn_factor", 1f), ("rope.scaling.factor", 1f), ("rope.scaling.finetuned", true),
                ("rope.scaling.type", "none"), ("rope.scaling.yarn_ext_factor", 1f), ("pooling_type", 3u),
                ("tensor_data_layout", "Meta AI original pth"), ("attention.sliding_window", 1u << 20),
            ])
            Put(draft, $"llama.{key}", value);
        Put(draft, "general.type", "model");

        using var golden = new FamilyGolden("llama", Model(folder, draft));

        Assert.All(
            golden.ComputeRowSums().Zip(golden.RowSums), static s => Assert.InRange(s.First / s.Second, 1 - 1e-6, 1 + 1e-6));
    }

    /// <summary>Without a kind, llama.cpp takes a factor as linear; YaRN's bounds are read.</summary>
    [Theory]
    [InlineData(null, 4f, "linear", 32, 1)]
    [InlineData("linear", 4f, "linear", 32, 1)]
    [InlineData("yarn", 4f, "yarn", 16, 2)]
    [InlineData("none", 4f, null, 32, 1)]
    public void Open_WithAFactor_TakesItAsLlamaCpp(string? kind, float factor, string? expected, double fast, double slow)
    {
        using var folder = new TemporaryFolder();
        var draft = GgufDraft.Of(Fixture.Path("families/qwen3"));
        draft.Add("qwen3.rope.scaling.factor", factor);
        if (kind is not null)
            draft.Add("qwen3.rope.scaling.type", kind);
        if (kind == "yarn")
        {
            draft.Add("qwen3.rope.scaling.original_context_length", 16u);
            draft.Add("qwen3.rope.scaling.yarn_beta_fast", (float)fast);
            draft.Add("qwen3.rope.scaling.yarn_beta_slow", (float)slow);
        }

        File.WriteAllBytes(folder["m.gguf"], draft.ToBytes());

        var scaling = ((LlamaConfig)HfCheckpoint.Open(folder["m.gguf"]).Config).RopeScaling;

        Assert.Equal((expected, expected is null ? 1 : factor), (scaling?.Type, scaling?.Factor ?? 1));
        Assert.Equal((fast, slow), (scaling?.BetaFast ?? 32, scaling?.BetaSlow ?? 1));
    }

    /// <summary>An answer of a chat model ends with the end of a turn, which is not that of a text.</summary>
    [Theory]
    [InlineData("tokenizer.ggml.eot_token_id", 7u, "[2,7]")]
    [InlineData("tokenizer.ggml.eom_token_id", 8u, "[2,8]")]
    [InlineData("<end_of_turn>", 9u, "[2,9]")]
    [InlineData("<|im_end|>", 2u, null)]
    [InlineData("tokenizer.ggml.eot_token_id", 2u, null)]
    public void Import_KnowsEveryTokenThatEndsAnAnswer(string key, uint id, string? expected)
    {
        using var folder = new TemporaryFolder();
        var draft = GgufDraft.Of(Fixture.Path("families/llama"));
        if (key.StartsWith("tokenizer", StringComparison.Ordinal))
            draft.Add(key, id);
        else
            ((string[])draft.Metadata.Single(static m => m.Key == "tokenizer.ggml.tokens").Value)[id] = key;
        File.WriteAllBytes(folder["m.gguf"], draft.ToBytes());

        HfCheckpoint.Import(folder["m.gguf"], folder["out"]);

        var path = Path.Combine(folder["out"], "generation_config.json");
        Assert.Equal(expected, File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path))!["eos_token_id"]!.ToJsonString() : null);
        Assert.Equal(expected is null ? 1 : 2, ModelSource.Open(folder["out"]).StopTokenIds.Count);
    }

    private static void Put(GgufDraft draft, string key, object value) => draft.Metadata.Add(value switch
    {
        bool flag => (key, 7u, new[] { (byte)(flag ? 1 : 0) }),
        uint => (key, 4u, value),
        float => (key, 6u, value),
        _ => (key, 8u, value),
    });

    [Fact]
    public void Import_WritesAFolderWithTokenizerAndTemplate()
    {
        using var folder = new TemporaryFolder();
        var draft = GgufDraft.Of(Fixture.Path("families/llama"));
        draft.Add("tokenizer.chat_template", "{{ messages }}");
        File.WriteAllBytes(folder["m.gguf"], draft.ToBytes());

        HfCheckpoint.Import(folder["m.gguf"], folder["out"]);

        var settings = JsonNode.Parse(File.ReadAllText(Path.Combine(folder["out"], "tokenizer_config.json")))!;
        Assert.Equal("{{ messages }}", (string?)settings["chat_template"]);
        Assert.True(File.Exists(Path.Combine(folder["out"], "tokenizer.json")));
        Assert.Equal("llama", ModelSource.Open(folder["out"]).Config!.ModelType);
    }

    /// <summary>What each name means in llama.cpp: the splits, words taken whole, and the first token where the file does
    /// not say.</summary>
    [Theory]
    [InlineData("gpt-2", "ByteLevel", false, false)]
    [InlineData("smollm", "Digits", false, false)]
    [InlineData("qwen2", @"\p{N}| ?", false, false)]
    [InlineData("llama-bpe", @"\p{N}{1,3}| ?", true, true)]
    [InlineData("llama3", @"\p{N}{1,3}| ?", true, true)]
    [InlineData("llama-v3", @"\p{N}{1,3}| ?", true, true)]
    [InlineData("dbrx", @"\p{N}{1,3}| ?", false, false)]
    [InlineData("smaug-bpe", @"\p{N}{1,3}| ?", false, false)]
    [InlineData("tekken", @"[\p{Lu}\p{Lt}", true, true)]
    [InlineData("gpt-4o", @"'d)?|\p{N}{1,3}| ?", false, false)]
    public void Import_OfByteLevelBpe_WritesWhatItsNameMeans(string pre, string splits, bool ignoresMerges, bool addsBegin)
    {
        using var folder = new TemporaryFolder();

        var notes = Imported(folder, "gpt2", pre);

        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder["out"], "tokenizer.json")))!;
        Assert.Empty(notes);
        var written = json["pre_tokenizer"]!.ToJsonString(new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        Assert.Contains(splits, written.Replace(@"\\", @"\", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(ignoresMerges, (bool)json["model"]!["ignore_merges"]!);
        Assert.Equal(addsBegin, json["post_processor"] is not null);
        Assert.Equal(pre == "qwen2", json["normalizer"] is not null);
    }

    [Theory]
    [InlineData("gpt2", "deepseek-llm")]
    [InlineData("gpt2", "default")]
    [InlineData("t5", "default")]
    [InlineData("bert", "default")]
    [InlineData("rwkv", "")]
    [InlineData("plamo2", "")]
    public void Import_OfAnotherTokenizer_NamesIt(string kind, string pre)
    {
        using var folder = new TemporaryFolder();

        var notes = Imported(folder, kind, pre);

        Assert.Contains($"its tokenizer ({kind}{(pre.Length > 0 ? $", {pre}" : "")}) is not written", Assert.Single(notes), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder["out"], "tokenizer.json")));
    }

    private static List<string> Imported(TemporaryFolder folder, string kind, string pre)
    {
        var draft = GgufDraft.Of(Fixture.Path("families/llama"));
        draft.Metadata.RemoveAll(static m => m.Key is "tokenizer.ggml.model" or "tokenizer.ggml.pre");
        draft.Add("tokenizer.ggml.model", kind);
        if (pre.Length > 0)
            draft.Add("tokenizer.ggml.pre", pre);
        File.WriteAllBytes(folder["m.gguf"], draft.ToBytes());
        var notes = new List<string>();
        HfCheckpoint.Import(folder["m.gguf"], folder["out"], notes.Add);
        return notes;
    }

    /// <summary>A family's GGUF file computes what its HF folder does with another configuration.</summary>
    private static void MustGiveHfsLoss(TemporaryFolder folder, string family, Action<JsonNode> change)
    {
        var source = Fixture.Path($"families/{family}");
        File.Copy(Path.Combine(source, "model.safetensors"), folder["model.safetensors"]);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(source, "config.json")))!;
        change(config);
        File.WriteAllText(folder["config.json"], config.ToJsonString());
        using var ours = new FamilyGolden(family, Model(folder, GgufDraft.Of(source)));
        using var hfs = new FamilyGolden(family, HfCheckpoint.Open(folder.Path).ToModel());

        MustAgree(ours, hfs);
    }

    private static void MustAgree(FamilyGolden ours, FamilyGolden hfs) => Assert.All(
        ours.ComputeRowSums().Zip(hfs.ComputeRowSums()), static s => Assert.InRange(s.First / s.Second, 1 - 1e-6, 1 + 1e-6));

    private static Model Model(TemporaryFolder folder, GgufDraft draft)
    {
        File.WriteAllBytes(folder["model.gguf"], draft.ToBytes());
        return HfCheckpoint.Open(folder["model.gguf"], Assert.Fail).ToModel();
    }
}

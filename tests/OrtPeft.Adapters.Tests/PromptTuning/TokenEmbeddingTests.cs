using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.PTuning;
using OrtPeft.Adapters.Tests.PromptLearning;
using OrtPeft.Adapters.TrainableTokens;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.PromptTuning;

/// <summary>The token embedding in every form that exporters store it in.</summary>
public sealed class TokenEmbeddingTests
{
    private static readonly int[] Words = [11, 3, 8];

    /// <summary>
    /// A prompt of real tokens' rows must act as these tokens before the input: with a transposed head, with a quantised one
    /// that the embedding shares, and with an embedding of its own.
    /// </summary>
    [Theory]
    [InlineData("genai/llama-fp32")]
    [InlineData("genai/llama-int4")]
    [InlineData("genai/qwen2-fp32")]
    [InlineData("genai/qwen2-int4")]
    [InlineData("exports/genai_int4_llama.onnx")]
    public void Inject_WhenThePromptIsTokens_AnswersAsTheBaseBehindThem(string file)
    {
        var (model, batch) = (Canonical(file), Decoder.Batch("plain"));
        var longer = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Decoder.Before(batch["input_ids"], [.. Words.Select(static w => (long)w)]),
            ["attention_mask"] = Decoder.Before(batch["attention_mask"], 1, 1, 1),
        };

        var adapted = PeftModel.Create(model, OfWords());

        Assert.Equal([3L, 32], adapted.GetWeights()["prompt_embeddings"].Dims.AsEnumerable());
        Near.Absolute(Decoder.Logits(model, longer), Decoder.Logits(adapted.Model, batch), 2e-5, "logits");
    }

    /// <summary>The float build and the HF folder of one model are the same with the same prompt.</summary>
    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    public void Inject_OnTheFloatBuild_ComputesAsOnTheHfFolder(string family)
    {
        var (build, folder) = (Canonical($"genai/{family}-fp32"), Canonical($"genai/{family}-hf"));

        var (onBuild, onFolder) = (PeftModel.Create(build, new PTuningConfig(), seed: 5), PeftModel.Create(folder, new PTuningConfig(), seed: 5));

        var batch = Decoder.Batch("plain");
        Near.Absolute(Decoder.Logits(onFolder.Model, batch), Decoder.Logits(onBuild.Model, batch), 2e-5, "logits");
    }

    /// <summary>
    /// A graph alone, without a description: Gemma's embedding scales its rows, Granite's model what stands in their place too.
    /// </summary>
    [Theory]
    [InlineData("gemma2", "optimum_gemma2")]
    [InlineData("gemma3", "dynamo_gemma3")]
    [InlineData("granite", "optimum_granite")]
    public void Inject_OnAGraphAlone_ComputesAsOnTheHfFolder(string family, string export)
    {
        var (graph, folder) = (Canonical($"exports/{export}.onnx"), Canonical($"families/{family}"));

        var (onGraph, onFolder) = (PeftModel.Create(graph, new PTuningConfig(), seed: 5), PeftModel.Create(folder, new PTuningConfig(), seed: 5));

        var batch = Decoder.Batch("plain");
        Near.Relative(Decoder.Logits(onFolder.Model, batch), Decoder.Logits(onGraph.Model, batch), 1e-3, "logits");
    }

    /// <summary>ONNX Runtime's quantiser picks integers and makes numbers of them, or picks of what it made.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Inject_OnRowsOfBytes_ReadsThem(bool picksNumbers)
    {
        var model = OnnxFile.Load(Path.Combine(Fixtures.Folder, "exports/dynamo_llama.onnx"));
        var g = GraphBuilder.Over(model);
        var table = model.Graph.Find("model.embed_tokens.weight")!;
        var lookUp = table.Uses.Single(static u => u.Node.Is("Gather")).Node;
        var codes = table.Initializer!.ToFloat32().Select(static x => (sbyte)Math.Round(x * 50));
        g.Before = model.Graph.Nodes[0];
        var bytes = model.Graph.AddInitializer("bytes", Tensor.Of<sbyte>([.. codes], table.Initializer.Dims.AsSpan()));
        var (scale, zero) = (g.Constant(Tensor.Of<float>([0.02f], [])), g.Constant(Tensor.Of<sbyte>([3], [])));
        g.Before = lookUp;
        var rows = picksNumbers
            ? g.Gather(g.Op("DequantizeLinear", bytes, scale, zero), lookUp.Inputs[1]!)
            : g.Op("DequantizeLinear", g.Gather(bytes, lookUp.Inputs[1]!), scale, zero);
        model.Graph.ReplaceAllUsesWith(lookUp.Output, rows);
        var canonical = BaseModel.Of(model).Canonical;
        var batch = Decoder.Batch("plain");
        var longer = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Decoder.Before(batch["input_ids"], [.. Words.Select(static w => (long)w)]),
            ["attention_mask"] = Decoder.Before(batch["attention_mask"], 1, 1, 1),
        };

        var adapted = PeftModel.Create(canonical, OfWords());

        Near.Absolute(Decoder.Logits(canonical, longer), Decoder.Logits(adapted.Model, batch), 2e-5, "logits");
    }

    public static TheoryData<string, string> FamiliesAndMethods
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var family in (string[])["llama", "qwen2"])
                foreach (var method in Configs.Keys)
                    data.Add(family, method);
            return data;
        }
    }

    private static readonly Dictionary<string, PeftConfig> Configs = new()
    {
        ["tokens"] = new TrainableTokensConfig { TokenIndices = [19, 3, 7] },
        ["tokens of the embedding"] =
            new TrainableTokensConfig { TokenIndices = [7, 12], TargetModules = ModuleTargets.Listed("embed_tokens") },
        ["tokens beside LoRA"] =
            new LoraConfig { R = 2, TrainableTokenIndices = TokenIndices.Of([2, 7]), TargetModules = ["q_proj"] },
        ["LoRA"] = new LoraConfig { R = 2, TargetModules = ["embed_tokens", "v_proj"] },
        ["DoRA"] = new LoraConfig { R = 2, TargetModules = ["embed_tokens"], UseDora = true },
        ["saved"] = new LoraConfig { R = 2, TargetModules = ["q_proj"], ModulesToSave = ["embed_tokens"] },
        ["saved, tied"] = new LoraConfig
        {
            R = 2,
            TargetModules = ["q_proj"],
            ModulesToSave = ["embed_tokens"],
            EnsureWeightTying = true,
        },
    };

    /// <summary>An embedding that is a tied head's transpose trains as the HF folder's, under its names, and merges.</summary>
    [Theory]
    [MemberData(nameof(FamiliesAndMethods))]
    public void Create_OnTheFloatBuild_IsAsOnTheHfFolder(string family, string method)
    {
        var onFolder = PeftModel.Create(Canonical($"genai/{family}-hf"), Configs[method], seed: 5);
        var onBuild = PeftModel.Create(Canonical($"genai/{family}-fp32"), Configs[method], seed: 6);
        var weights = onFolder.GetWeights().ToDictionary(
            static w => w.Key, static w => Decoder.Random(w.Key, w.Value.Dims.AsSpan()));
        Assert.Equal(weights.Keys.Order(), onBuild.GetWeights().Keys.Order());
        onFolder.SetWeights(weights);
        onBuild.SetWeights(weights);

        var batch = Decoder.Batch("plain");
        var expected = Decoder.Logits(onFolder.Model, batch);
        var largest = expected.ToFloat32().Max(Math.Abs);
        Near.Absolute(expected, Decoder.Logits(onBuild.Model, batch), 1e-5 * largest, "logits");
        Near.Absolute(expected, Decoder.Logits(onBuild.Merge(), batch), 1e-5 * largest, "merged");
    }

    [Theory]
    [MemberData(nameof(FamiliesAndMethods))]
    public void Create_OnTheQuantisedBuild_IsRefusedByName(string family, string method)
    {
        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Canonical($"genai/{family}-int4"), Configs[method]));

        Assert.Contains("embed_tokens", error.Message, StringComparison.Ordinal);
        if (!method.Contains("oRA", StringComparison.Ordinal) || method.StartsWith("tokens", StringComparison.Ordinal))
            Assert.Contains("quantised", error.Message, StringComparison.Ordinal);
    }

    private static PromptTuningConfig OfWords() => new()
    {
        NumVirtualTokens = 3,
        PromptTuningInit = "TEXT",
        PromptTuningInitText = "three words",
        InitTokenIds = Words,
    };

    private static Model Canonical(string file) =>
        BaseModel.Of(ModelSource.Open(Path.Combine(Fixtures.Folder, file)).Model).Canonical;
}

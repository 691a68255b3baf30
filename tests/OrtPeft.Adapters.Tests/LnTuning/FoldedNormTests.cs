using OrtPeft.Adapters.LnTuning;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.Tests.PromptLearning;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.LnTuning;

/// <summary>Gemma's normalisations multiply by 1 + weight, and exporters store the sum.</summary>
public sealed class FoldedNormTests
{
    private const string Export = "exports/dynamo_gemma3.onnx";
    private const string Folder = "families/gemma3";
    private const string TorchScript = "exports/optimum_gemma2.onnx";
    private const string OfTorchScript = "families/gemma2";

    private static readonly Dictionary<string, PeftConfig> Configs = new()
    {
        ["all"] = new LnTuningConfig { TargetModules = ModuleTargets.Matching(".*norm") },
        ["default"] = new LnTuningConfig(),
        ["saved"] = new LoraConfig { R = 2, TargetModules = ["v_proj"], ModulesToSave = ["norm"] },
    };

    public static TheoryData<string> Methods => [.. Configs.Keys];

    /// <summary>Both hold one model's weights, so what trains starts alike, does the same, and merges to the same.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void Create_OnTheExport_TrainsHfsWeights(string method)
    {
        var (onFolder, onExport) = (PeftModel.Create(Open(Folder), Configs[method]), PeftModel.Create(Open(Export), Configs[method]));
        var (first, started) = (onFolder.GetWeights(), onExport.GetWeights());
        Assert.Equal(first.Keys.Order(), started.Keys.Order());
        foreach (var (name, weight) in first.Where(static w => w.Key.Contains("norm", StringComparison.Ordinal)))
            Near.Absolute(weight, started[name], 1e-6, name);
        var weights = first.ToDictionary(static w => w.Key, static w => Decoder.Random(w.Key, w.Value.Dims.AsSpan()));

        onFolder.SetWeights(weights);
        onExport.SetWeights(weights);

        // One row: ONNX Runtime's rotary operator takes no angles for all rows, and the merged graph is the export's own.
        var batch = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>([1, 7, 7, 19, 3, 2], [1, 6]),
            ["attention_mask"] = Tensor.Of<long>([1, 1, 1, 1, 1, 1], [1, 6]),
        };
        var expected = Decoder.Logits(onFolder.Model, batch);
        var tolerance = 1e-5 * expected.ToFloat32().Max(Math.Abs);
        Near.Absolute(expected, Decoder.Logits(onExport.Model, batch), tolerance, "logits");
        Near.Absolute(expected, Decoder.Logits(onExport.Merge(), batch), tolerance, "merged");
    }

    /// <summary>TorchScript's exporter names the sum by a number, and the file beside it tells the family.</summary>
    [Fact]
    public void Create_OnTorchScriptsExport_TrainsHfsWeights()
    {
        var onExport = PeftModel.Create(OpenTorchScript(), Configs["all"]).GetWeights();
        var onFolder = PeftModel.Create(Open(OfTorchScript), Configs["all"]).GetWeights();

        Assert.Equal(onFolder.Keys.Order(), onExport.Keys.Order());
        foreach (var (name, weight) in onFolder)
            Near.Absolute(weight, onExport[name], 1e-6, name);
    }

    /// <summary>TorchScript stores the folded sum as a number without a name, which could be a weight as well.</summary>
    [Fact]
    public void Create_WhereNoFamilyTellsWhatTheScalesAre_SaysSo()
    {
        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(Open(TorchScript), new LnTuningConfig()));

        Assert.Contains("such as onnx::Mul_", error.Message, StringComparison.Ordinal);
        Assert.Contains("put the model's config.json beside the graph", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Exporters store sums of equal value once.</summary>
    [Fact]
    public void Create_WhereTwoNormsShareASum_TrainsEachsWeight()
    {
        var model = Open(Export);
        var norms = model.Graph.Nodes.Where(static n => n.Is("RMSNormalization") && n.Inputs[1]!.Initializer!.Count == 32).Take(2).ToList();
        var shared = norms[0].Inputs[1]!;
        norms[1].SetInput(1, shared);

        var weights = PeftModel.Create(model, new LnTuningConfig { TargetModules = ModuleTargets.Matching(".*norm") }).GetWeights();

        Assert.Equal(PeftModel.Create(Open(Folder), Configs["all"]).GetWeights().Keys.Order(), weights.Keys.Order());
        var expected = shared.Initializer!.ToFloat32().Select(static x => x - 1);
        foreach (var module in (string[])["input_layernorm", "post_attention_layernorm"])
            Assert.Equal(expected, weights[$"base_model.model.model.layers.0.{module}.ln_tuning_layers.weight"].ToFloat32());
    }

    /// <summary>GenAI's builder stores the sum under the weight's name; only the family tells.</summary>
    [Theory]
    [InlineData("llama", 0)]
    [InlineData("gemma", 1)]
    public void Create_OnAGenAiBuild_TrainsHfsWeights(string family, float more)
    {
        var model = Open("genai/llama-fp32");
        var stored = model.Graph.Find("model.layers.1.input_layernorm.weight")!.Initializer!.ToFloat32();
        model.Metadata[MetadataKeys.BuilderType] = family;
        var before = Decoder.Logits(BaseModel.Of(model).Canonical, Decoder.Batch("plain"));

        var peft = PeftModel.Create(model, new LnTuningConfig { TargetModules = ["input_layernorm"] });

        var weight = peft.GetWeights()["base_model.model.model.layers.1.input_layernorm.ln_tuning_layers.weight"];
        Assert.Equal(stored.Select(x => x - more), weight.ToFloat32());
        Near.Absolute(before, Decoder.Logits(peft.Model, Decoder.Batch("plain")), 1e-6, "logits");
    }

    /// <summary>Gemma's embedding scales its rows, which HF PEFT's virtual tokens stand beside as they are.</summary>
    [Theory]
    [InlineData(Export)]
    [InlineData(Folder)]
    [InlineData(TorchScript)]
    public void Create_OfAPromptOfTokens_StartsWithScaledRows(string file)
    {
        var model = file == TorchScript ? OpenTorchScript() : Open(file);
        var table = model.Graph.Initializers.Single(static v => v.Initializer!.Dims is [256, 32] && v.Uses.Any(static u => u.Node.Is("Gather")));
        var row = table.Initializer!.ToFloat32().Skip(7 * 32).Take(32);
        var config = new PromptTuningConfig
        {
            NumVirtualTokens = 1,
            PromptTuningInit = "TEXT",
            PromptTuningInitText = "a word",
            InitTokenIds = [7],
        };

        var prompt = PeftModel.Create(model, config).GetWeights()["prompt_embeddings"];

        Near.Absolute(Tensor.Of<float>([.. row.Select(static x => x * MathF.Sqrt(32))], [1, 32]), prompt, 1e-5, "prompt");
    }

    [Fact]
    public void Inject_OfAPrompt_IsTheSameOnBoth()
    {
        var config = new PromptTuningConfig { NumVirtualTokens = 3 };
        var (onFolder, onExport) = (PeftModel.Create(Open(Folder), config, seed: 4), PeftModel.Create(Open(Export), config, seed: 4));

        var batch = Decoder.Batch("plain");

        Near.Absolute(Decoder.Logits(onFolder.Model, batch), Decoder.Logits(onExport.Model, batch), 2e-5, "logits");
    }

    private static Model OpenTorchScript()
    {
        var model = Open(TorchScript);
        model.Metadata[MetadataKeys.BuilderType] = "gemma2";
        return model;
    }

    private static Model Open(string file) => ModelSource.Open(Path.Combine(Fixtures.Folder, file)).Model;
}

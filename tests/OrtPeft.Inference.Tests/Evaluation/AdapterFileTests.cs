using OrtPeft.Adapters;
using OrtPeft.Adapters.Exports;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.Vera;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Inference.Evaluation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Inference.Tests.Evaluation;

/// <summary>Graphs with optional inputs for LoRA, run by ONNX Runtime with the adapter files activated.</summary>
public sealed class AdapterFileTests
{
    private static readonly IReadOnlyList<int[]> Rows = LogitsComparison.RandomSequences(2, 9, 90, seed: 1);

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 12)];

    private static readonly RuntimeOptions OneThread = new() { Threads = 1 };

    /// <summary>Biases, packed projections, integers, Conv1D in [in, out], a tied head.</summary>
    private static readonly (string Graph, string[] Modules)[] Bases =
    [
        ("genai/llama-fp32/model.onnx", ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"]),
        ("genai/qwen2-fp32/model.onnx", ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "down_proj"]),
        ("genai/qwen2-int4/model.onnx", ["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"]),
        ("graphs/hf442_g2l_past_op17.onnx", ["c_attn", "attn.c_proj", "c_fc", "mlp.c_proj", "lm_head"]),
    ];

    /// <summary>Each module's rank and scale are its own; where only some parts of a packed projection are adapted, the others
    /// stay.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Activated_GivesOrtPeftsLogits(int seed)
    {
        using var folder = new TemporaryFolder();
        var random = new Random(seed);
        var (graph, modules) = Bases[seed % Bases.Length];
        var model = Load(graph);
        var peft = PeftModel.Create(model, Config(random, modules), random.Next(99), "one");
        peft.Adapters.Add("two", Config(random, modules), random.Next(99));
        var inputs = LoraInputs.Of(peft);

        Assert.Equal(0, LogitsComparison.Compare(model, inputs.Model, Rows, OneThread).Largest);
        foreach (var names in (string[][])[["one"], ["two"], ["one", "two"]])
        {
            var file = folder[$"{string.Join('-', names)}.onnx_adapter"];
            new OrtAdapterFile { Parameters = inputs.TensorsOf(names) }.Save(file);
            peft.Adapters.Set(names);
            var found = LogitsComparison.Compare(peft.Model, inputs.Model, Rows, OneThread, file);

            Assert.True(found.Largest < 2e-4 * Math.Max(1, found.LargestLogit), $"{graph} {string.Join('+', names)}: {found}");
        }
    }

    [Fact]
    public void Written_AndReadAgain_TakesAdaptersOfAnyRank()
    {
        using var folder = new TemporaryFolder();
        var peft = PeftModel.Create(
            Load(Bases[0].Graph), new LoraConfig { R = 3, TargetModules = ["v_proj"], InitLoraWeights = false });
        var inputs = LoraInputs.Of(peft);
        OnnxFile.Save(inputs.Model, folder["model.onnx"]);
        new OrtAdapterFile { Parameters = inputs.TensorsOf("default") }.Save(folder["a.onnx_adapter"]);

        var read = OnnxFile.Load(folder["model.onnx"]);

        Assert.Equal(12, read.Graph.Inputs.Count(static i => i.Initializer is not null)); // of q and k too, in two layers
        Assert.InRange(
            LogitsComparison.Compare(peft.Model, read, Rows, OneThread, folder["a.onnx_adapter"]).Largest, 0, 1e-4);
    }

    /// <summary>A start that was taken out of the base is a part of the adapter's product.</summary>
    [Fact]
    public void Pissa_HasItsStartInTheFile()
    {
        using var folder = new TemporaryFolder();
        var peft = PeftModel.Create(Load(Bases[3].Graph), new LoraConfig
        {
            R = 2,
            TargetModules = ["c_attn"],
            InitLoraWeights = LoraInit.Pissa,
        });
        var weights = peft.GetWeights().ToDictionary(
            static w => w.Key,
            static w => w.Key.EndsWith(".start", StringComparison.Ordinal) ? w.Value : Doubled(w.Value));
        peft.SetWeights(weights);
        var inputs = LoraInputs.Of(peft);
        new OrtAdapterFile { Parameters = inputs.TensorsOf("default") }.Save(folder["a.onnx_adapter"]);

        var found = LogitsComparison.Compare(peft.Model, inputs.Model, Rows, OneThread, folder["a.onnx_adapter"]);

        Assert.InRange(found.Largest, 0, 1e-4);
        Assert.Contains(inputs.TensorsOf("default"), static t => t.Dims[1] == 4);
    }

    /// <summary>What counts is the type that a layer computes in, not the one that its weight is stored in.</summary>
    [Fact]
    public void WeightsThatAreCastToFloat_GetFactorsOfFloat()
    {
        using var folder = new TemporaryFolder();
        var model = Load(Bases[3].Graph);
        foreach (var node in model.Graph.Nodes.Where(static n => n.OpType == "Gemm").ToList())
        {
            var (weight, stored) = (node.Inputs[1]!, node.Inputs[1]!.Initializer!);
            model.Graph.SetInitializer(weight, Tensor.Of<Half>(
                Array.ConvertAll(stored.ToFloat32(), static n => (Half)n), stored.Dims.AsSpan()).WithName(weight.Name));
            node.SetInput(1, model.Graph.AddNode(
                "Cast", [weight], [model.Graph.FreshName("cast")], [NodeAttribute.Of("to", 1L)]).Output);
        }

        model.Graph.SortTopologically();
        var peft = PeftModel.Create(model, new LoraConfig { R = 2, TargetModules = ["c_attn"], InitLoraWeights = false });
        var inputs = LoraInputs.Of(peft);
        new OrtAdapterFile { Parameters = inputs.TensorsOf("default") }.Save(folder["a.onnx_adapter"]);

        Assert.All(inputs.TensorsOf("default"), static t => Assert.Equal(ElementType.Float, t.Type));
        Assert.InRange(
            LogitsComparison.Compare(peft.Model, inputs.Model, Rows, OneThread, folder["a.onnx_adapter"]).Largest, 0, 1e-4);
    }

    /// <summary>Methods whose change is a product of low rank, or of full rank where the layer is small.</summary>
    public static TheoryData<string> LowRank => [.. OfLowRank.Keys];

    private static readonly Dictionary<string, PeftConfig> OfLowRank = new()
    {
        ["vera"] = new VeraConfig { R = 4, InitWeights = false },
        ["vera of a rank beyond the layers'"] = new VeraConfig { R = 40, InitWeights = false },
        ["loha"] = new LohaConfig { R = 2, Alpha = 5, InitWeights = false },
        ["loha of a rank beyond the layers'"] = new LohaConfig { R = 8, Alpha = 3, InitWeights = false, RankPattern = [new("o_proj|c_proj", 3)] },
        ["lokr"] = new LokrConfig { R = 1, Alpha = 3, InitWeights = false },
        ["lokr, both factors split"] = new LokrConfig { R = 1, InitWeights = false, DecomposeBoth = true, DecomposeFactor = 8 },
        ["lokr, none split"] = new LokrConfig { R = 16, InitWeights = false, AlphaPattern = [new("o_proj|c_proj", 20)] },
    };

    [Theory]
    [MemberData(nameof(LowRank))]
    public void LowRankMethods_AreAdapterFiles_AndAnswerAsMerged(string name)
    {
        using var folder = new TemporaryFolder();
        foreach (var (graph, modules) in Bases)
        {
            var model = Load(graph);
            var config = (TargetedConfig)OfLowRank[name] with { TargetModules = [.. modules.Where(static m => m != "lm_head")] };
            var peft = PeftModel.Create(model, config, seed: 3);
            var inputs = LoraInputs.Of(peft);
            var file = folder[$"{Path.GetFileName(Path.GetDirectoryName(graph))}.onnx_adapter"];
            new OrtAdapterFile { Parameters = inputs.TensorsOf("default") }.Save(file);

            foreach (var expected in (Model[])[peft.Model, peft.ForInference()])
            {
                var found = LogitsComparison.Compare(expected, inputs.Model, Rows, OneThread, file);
                Assert.True(found.Largest < 2e-4 * Math.Max(1, found.LargestLogit), $"{graph}: {found}");
            }

            var changed = LogitsComparison.Compare(peft.Model, inputs.Model, Rows, OneThread).Largest;
            Assert.True(changed > 1e-2, $"{graph}: the adapter changes a logit by {changed} at most");
        }
    }

    [Fact]
    public void Vera_WithTrainedBiases_IsRefused() => Refused(
        new VeraConfig { R = 2, TargetModules = ["c_attn"], Bias = "all" }, "(VeRA) is more than A and B of linear layers");

    [Fact]
    public void Loha_WithASavedModule_IsRefused() => Refused(
        new LohaConfig { R = 2, TargetModules = ["c_attn"], ModulesToSave = ["ln_f"] }, "merge it into the weights: 'ortpeft merge'");

    [Fact]
    public void Ia3_IsRefused_WithTheWayThatWorks() => Refused(new OrtPeft.Adapters.Ia3.Ia3Config(), "merge it into the weights");

    [Fact]
    public void Dora_IsRefused_WithTheWayThatWorks() => Refused(
        new LoraConfig { R = 2, TargetModules = ["c_attn"], UseDora = true }, "merge it into the weights");

    [Fact]
    public void TrainedBiases_AreRefused() => Refused(
        new LoraConfig { R = 2, TargetModules = ["c_attn"], Bias = "all" }, "merge it into the weights");

    [Fact]
    public void APrompt_IsRefused_AndNotToBeMerged() => Refused(
        new OrtPeft.Adapters.PromptTuning.PromptTuningConfig { NumVirtualTokens = 2 }, "run it with OrtPeft");

    [Fact]
    public void AGraphThatHasTheInputs_IsRefused()
    {
        var config = new LoraConfig { R = 2, TargetModules = ["c_attn"] };
        var once = LoraInputs.Of(PeftModel.Create(Load(Bases[3].Graph), config)).Model;

        var error = Assert.Throws<ConfigException>(() => LoraInputs.Of(PeftModel.Create(once, config)));

        Assert.Contains("already", error.Message, StringComparison.Ordinal);
    }

    /// <summary>float16 ends at 65504.</summary>
    [Fact]
    public void ANumberBeyondTheGraphsType_IsRefused()
    {
        var peft = PeftModel.Create(Load(Bases[0].Graph), new LoraConfig { R = 1, LoraAlpha = 1, TargetModules = ["q_proj"] });
        peft.SetWeights(peft.GetWeights().ToDictionary(
            static w => w.Key,
            static w => Tensor.Of<float>([.. Enumerable.Repeat(float.PositiveInfinity, (int)w.Value.Count)], w.Value.Dims.AsSpan())));

        Assert.Throws<ConfigException>(() => LoraInputs.Of(peft).TensorsOf("default"));
    }

    private static void Refused(PeftConfig config, string way)
    {
        var error = Assert.Throws<ConfigException>(() => LoraInputs.Of(PeftModel.Create(Load(Bases[3].Graph), config)));

        Assert.Contains(way, error.Message, StringComparison.Ordinal);
    }

    private static LoraConfig Config(Random random, string[] modules)
    {
        string[] some = [.. modules.Where(_ => random.Next(2) == 0)];
        var targets = some.Length == 0 ? modules[..1] : some;
        return new LoraConfig
        {
            R = 1 + random.Next(5),
            LoraAlpha = 1 + random.Next(9),
            UseRslora = random.Next(2) == 0,
            TargetModules = [.. targets],
            RankPattern = random.Next(2) == 0 ? [] : [new(targets[0], 1 + random.Next(6))],
            AlphaPattern = random.Next(2) == 0 ? [] : [new(targets[^1], 1 + random.Next(20))],
            InitLoraWeights = false,
        };
    }

    private static Tensor Doubled(Tensor tensor) =>
        Tensor.Of<float>(Array.ConvertAll(tensor.ToFloat32(), static n => 2 * n), tensor.Dims.AsSpan());

    private static Model Load(string graph)
    {
        var model = OnnxFile.Load(Path.Combine(Fixtures.Folder, graph));
        foreach (var node in model.Graph.Nodes.Where(static n => n.OpType == "MatMulNBits"))
            node.Attributes.Set(NodeAttribute.Of("accuracy_level", 1L)); // OrtPeft does not round activations
        return model;
    }
}

using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

public sealed class LoraMethodTests
{
    private const string Prefix = "base_model.model.transformer.h.";

    private static readonly LoraConfig AllLinear = new() { R = 4, TargetModules = ModuleTargets.AllLinear };

    [Fact]
    public void Create_WhenDefault_TakesCAttnAndHfPeftsNamesAndShapes()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new LoraConfig { R = 4 });

        Assert.Equal(
            ["0.attn.c_attn.lora_A", "0.attn.c_attn.lora_B", "1.attn.c_attn.lora_A", "1.attn.c_attn.lora_B"],
            peft.Parameters.Select(static p => p.Name[Prefix.Length..^".weight".Length]));
        Assert.Equal(
            [[4L, 32], [96, 4], [4, 32], [96, 4]],
            peft.Parameters.Select(static p => p.Value.Initializer!.Dims.ToArray()));
        Assert.Equal(2 * 4 * (32 + 96), peft.TrainableParameterCount);
        Assert.Equal(["c_attn"], ((LoraConfig)peft.Config).TargetModules!.Names);
        Assert.True(((LoraConfig)peft.Config).FanInFanOut);
    }

    [Fact]
    public void Create_WhenRankPattern_GivesEachModuleItsRank()
    {
        var config = AllLinear with { RankPattern = [new(@"h\.0\.attn\.c_attn", 2), new("mlp.c_proj", 7)] };

        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        var ranks = peft.Parameters.Where(static p => p.Name.Contains("lora_A", StringComparison.Ordinal))
            .Select(static p => p.Value.Initializer!.Dims[0]);
        Assert.Equal([2, 4, 4, 7, 4, 4, 4, 7], ranks);
    }

    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void Create_WhenFresh_StartsAsTheBase(string model)
    {
        var peft = PeftModel.Create(Gpt2.Open(model), AllLinear);

        foreach (var (name, tensor) in peft.GetWeights())
        {
            var bound = name.EndsWith("lora_B.weight", StringComparison.Ordinal) ? 0 : 1 / Math.Sqrt(tensor.Dims[1]);
            Assert.All(tensor.ToFloat32(), v => Assert.InRange(v, -bound, bound));
        }

        var batch = TrainRun.Batch(0);
        Near.Absolute(DecoderLogits.Of(Gpt2.Canonical(model), batch), DecoderLogits.Of(peft.Model, batch), 1e-6, "logits");
    }

    [Fact]
    public void Create_WhenFresh_FillsTheWholeRangeOfA()
    {
        var config = new LoraConfig { R = 64, TargetModules = ["c_attn"] };

        var a = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config).Parameters[0].Value.Initializer!.ToFloat32();

        var bound = 1 / Math.Sqrt(32);
        Assert.InRange(a.Min(), -bound, -0.99 * bound);
        Assert.InRange(a.Max(), 0.99 * bound, bound);
        Assert.Equal(0, a.Average(), 0.01);
        Assert.Equal(bound / Math.Sqrt(3), Math.Sqrt(a.Average(static v => (double)v * v)), 0.005);
    }

    [Fact]
    public void Create_WhenInitIsOff_DrawsBToo()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), AllLinear with { InitLoraWeights = false });

        var b = peft.GetWeights().Where(static w => w.Key.Contains("lora_B", StringComparison.Ordinal)).ToArray();
        Assert.Equal(8, b.Length);
        Assert.All(b, static w => Assert.InRange(w.Value.ToFloat32().Max(float.Abs), 0.3, 0.5));
    }

    [Fact]
    public void Create_WhenSeedDiffers_DrawsOtherNumbers()
    {
        var model = Gpt2.Open(Gpt2.Imported);

        float[] OfSeed(long seed) =>
            [.. PeftModel.Create(model, AllLinear, seed).GetWeights().Values.SelectMany(static w => w.ToFloat32())];

        Assert.Equal(OfSeed(3), OfSeed(3));
        Assert.NotEqual(OfSeed(3), OfSeed(4));
    }

    [Theory]
    [InlineData("none", 0, 0)]
    [InlineData("lora_only", 2, 0)]
    [InlineData("all", 2, 11)]
    public void Create_WhenBiasesTrain_NamesThemAsHfPeft(string bias, int ofAdapted, int others)
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Op17), new LoraConfig { Bias = bias, TargetModules = ["c_attn"] });

        var names = peft.Parameters.Select(static p => p.Name)
            .Where(static n => n.EndsWith(".bias", StringComparison.Ordinal))
            .ToList();
        Assert.Equal(ofAdapted, names.Count(static n => n.EndsWith(".base_layer.bias", StringComparison.Ordinal)));
        Assert.Equal(ofAdapted + others, names.Count);
        Assert.Equal(bias == "all", names.Contains("base_model.model.transformer.ln_f.bias"));
    }

    /// <summary>HF PEFT before 0.7, and loralib, name an adapted layer's bias without a wrapper around the layer.</summary>
    [Theory]
    [InlineData("lora_only", "base_model.model.")]
    [InlineData("all", "base_model.model.")]
    [InlineData("lora_only", "")]
    public void Create_WhenBiasesHaveOldNames_ReadsThem(string bias, string root)
    {
        var config = new LoraConfig { R = 2, Bias = bias, TargetModules = ["c_attn"] };
        var weights = PeftModel.Create(Gpt2.Open(Gpt2.Op17), config, seed: 3).GetWeights().ToDictionary();
        const string Name = "base_model.model.transformer.h.1.attn.c_attn.base_layer.bias";
        float[] trained = [.. weights[Name].ToFloat32().Select(static b => b + 0.5f)];
        weights.Remove(Name);
        weights[$"{root}transformer.h.1.attn.c_attn.bias"] = Tensor.Vector<float>(trained);

        var read = PeftModel.Create(Gpt2.Open(Gpt2.Op17), config, weights, "file");

        Assert.Equal(trained, read.GetWeights()[Name].ToFloat32());
    }

    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void Create_WhenDone_HasLeftTheBaseAlone(string name)
    {
        var model = Gpt2.Open(name);
        var (nodes, values) = (model.Graph.Nodes.Count, model.Graph.Values.Select(static v => v.ToString()).ToArray());
        var weights = model.Graph.Initializers.Select(static v => v.Initializer).ToArray();

        PeftModel.Create(model, AllLinear with { Bias = "all" });

        Assert.Equal(nodes, model.Graph.Nodes.Count);
        Assert.Equal(values, model.Graph.Values.Select(static v => v.ToString()));
        Assert.Equal(weights, model.Graph.Initializers.Select(static v => v.Initializer));
    }

    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void Create_WhenTheTiedHeadIsAdapted_KeepsOutputsAndEmbedding(string name)
    {
        var config = new LoraConfig { R = 2, TargetModules = ["lm_head"], InitLoraWeights = false };
        var model = Gpt2.Open(name);

        var peft = PeftModel.Create(model, config);

        var outputs = peft.Model.Graph.Outputs.Select(static o => o.Name);
        Assert.Equal(model.Graph.Outputs.Select(static o => o.Name), outputs);
        var batch = TrainRun.Batch(0);
        var merged = peft.Merge();
        Near.Absolute(DecoderLogits.Of(peft.Model, batch), DecoderLogits.Of(merged, batch), 1e-5, "logits");
        Assert.Same(
            model.Graph.Find("transformer.wte.weight")!.Initializer!.Data,
            merged.Graph.Find("transformer.wte.weight")!.Initializer!.Data);
    }

    [Fact]
    public void Create_WhenLayersGoWithAPattern_SavesNamesThatHfPeftReads()
    {
        var config = new LoraConfig { TargetModules = @".*\.c_attn", LayersToTransform = [1] };

        var resolved = (LoraConfig)PeftModel.Create(Gpt2.Open(Gpt2.Imported), config).Config;

        Assert.Equal(["transformer.h.1.attn.c_attn"], resolved.TargetModules!.Names);
    }

    [Fact]
    public void Create_WhenAContainerIsListed_SavesTheModulesInIt()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), new LoraConfig { TargetModules = ["attn"] });

        Assert.Equal(["attn.c_attn", "attn.c_proj"], ((LoraConfig)peft.Config).TargetModules!.Names);
        Assert.Equal(8, peft.Parameters.Count);
    }

    /// <summary>A layer's factors come after it, also where it makes one number: y = α·x·(W + s·B·A) + β·c.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(4, false)]
    [InlineData(1, true)]
    [InlineData(4, true)]
    public void Create_WhenGemmHasFactors_AddsToTheLayerBeforeThem(int outputs, bool useDora)
    {
        var model = SmallGraphs.Of((g, x) => g.Op(
            "Gemm",
            [x, SmallGraphs.Weight(g, "a.weight", outputs, 2), g.Graph.AddInitializer("a.bias", Tensor.Of<float>(new float[outputs], [outputs]))],
            NodeAttribute.Of("transB", 1L), NodeAttribute.Of("alpha", 0.5f), NodeAttribute.Of("beta", 3f)));
        var config = new LoraConfig { R = 2, LoraAlpha = 2, TargetModules = ["a"], InitLoraWeights = false, UseDora = useDora };
        var peft = PeftModel.Create(model, config);
        var feeds = new Dictionary<string, Tensor> { ["x"] = Tensor.Of([1f, -2, 0.5f, 3], [2, 2]) };

        var (adapted, merged) = (Answer(peft.Model), Answer(peft.Merge()));

        Near.Within(adapted, merged, 1e-5, "merged");
        if (!useDora)
        {
            var weights = peft.GetWeights();
            var (a, b) = (weights["base_model.model.a.lora_A.weight"].ToFloat32(), weights["base_model.model.a.lora_B.weight"].ToFloat32());
            var expected = Answer(model)[0] + (0.5f * Enumerable.Range(0, 2).Sum(k => b[k] * (a[2 * k] - (2 * a[(2 * k) + 1]))));
            Assert.Equal(expected, adapted[0], 1e-5f);
        }

        float[] Answer(Model of) => OnnxRun.Of(of, feeds).Values.Single().ToFloat32();
    }

    [Fact]
    public void Merge_WhenGemmHasAnAlpha_GivesTheSameFunction()
    {
        var model = SmallGraphs.Of(static (g, x) =>
            g.Gemm(x, SmallGraphs.Weight(g, "a.weight", 4, 2), SmallGraphs.Bias(g, "a.bias"), transB: true, alpha: 0.5f));
        var peft = PeftModel.Create(model, new LoraConfig { R = 2, TargetModules = ["a"], InitLoraWeights = false });
        var feeds = new Dictionary<string, Tensor> { ["x"] = Tensor.Of([1f, -2, 0.5f, 3], [2, 2]) };

        var merged = OnnxRun.Of(peft.Merge(), feeds).Values.Single();

        Near.Absolute(OnnxRun.Of(peft.Model, feeds).Values.Single(), merged, 1e-5, "y");
    }
}

using System.Text.Json.Nodes;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Bottleneck;

public sealed class BottleneckMethodTests
{
    private const int Hidden = 6;

    private static readonly Dictionary<string, Func<double, double>> Functions = new()
    {
        ["relu"] = static x => Math.Max(x, 0),
        ["gelu_new"] = static x => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        ["quick_gelu"] = static x => x / (1 + Math.Exp(-1.702 * x)),
        ["swish"] = static x => x / (1 + Math.Exp(-x)),
        ["silu"] = static x => x / (1 + Math.Exp(-x)),
        ["tanh"] = Math.Tanh,
        ["sigmoid"] = static x => 1 / (1 + Math.Exp(-x)),
        ["leakyrelu"] = static x => x > 0 ? x : 0.01 * x,
        ["linear"] = static x => x,
    };

    private static readonly Dictionary<string, BottleneckConfig> Places = new()
    {
        ["behind"] = new() { Scaling = 1.5 },
        ["behind the sum"] = new() { OriginalLnBefore = true, Scaling = 1.5 },
        ["beside"] = new() { IsParallel = true, Scaling = 1.5 },
        ["learned scale"] = new() { TrainedScaling = "learned" },
        ["scale by channel"] = new() { IsParallel = true, TrainedScaling = "channel" },
    };

    public static TheoryData<string> NonLinearityNames => [.. Functions.Keys];

    public static TheoryData<string> PlaceNames => [.. Places.Keys];

    [Fact]
    public void Create_OnGpt2_HasTheAdaptersLibrarysNamesAndShapes()
    {
        var config = new BottleneckConfig { ReductionFactor = 4, Name = "mine" };

        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);

        const string Block = "transformer.h.0";
        Assert.Equal(
            [
                $"{Block}.attention_adapters.adapters.mine.adapter_down.0.weight [8,32]",
                $"{Block}.attention_adapters.adapters.mine.adapter_down.0.bias [8]",
                $"{Block}.attention_adapters.adapters.mine.adapter_up.weight [32,8]",
                $"{Block}.attention_adapters.adapters.mine.adapter_up.bias [32]",
                $"{Block}.output_adapters.adapters.mine.adapter_down.0.weight [8,32]",
                $"{Block}.output_adapters.adapters.mine.adapter_down.0.bias [8]",
                $"{Block}.output_adapters.adapters.mine.adapter_up.weight [32,8]",
                $"{Block}.output_adapters.adapters.mine.adapter_up.bias [32]",
            ],
            peft.Parameters.Take(8).Select(static p => $"{p.Name} [{string.Join(',', p.Value.Initializer!.Dims)}]"));
        Assert.Equal(16, peft.Parameters.Count);
        Assert.Equal(
            [
                "transformer.h.0.attn.adapter.down.weight",
                "h.0.attention_adapters.adapters.mine.adapter_down.0.weight",
            ],
            peft.Parameters[0].Aliases);
        Assert.Equal(["attn.c_proj", "mlp.c_proj"], ((BottleneckConfig)peft.Config).TargetModules!.Names);
    }

    [Theory]
    [InlineData("houlsby", true, true, "swish", 16, false, false, 1, null, "bert")]
    [InlineData("pfeiffer", false, true, "relu", 16, true, false, 1, null, "bert")]
    [InlineData("parallel", false, true, "relu", 2, false, true, 4, null, "mam_adapter")]
    [InlineData("scaled_par_bn", false, true, "relu", 2, false, true, 4, "learned", "mam_adapter")]
    public void Preset_HasTheAdaptersLibrarysDefaults(
        string name, bool mh, bool output, string f, double k, bool lnBefore, bool parallel, double s, string? trained,
        string init)
    {
        var fields = new ConfigFields(new JsonObject { ["preset"] = name }, "config");

        var config = BottleneckConfig.FromFields(fields);

        Assert.Equal((mh, output), (config.MhAdapter, config.OutputAdapter));
        Assert.Equal((f, k), (config.NonLinearity, config.ReductionFactor));
        Assert.Equal((lnBefore, parallel, s), (config.OriginalLnBefore, config.IsParallel, config.Scaling));
        Assert.Equal((trained, init), (config.TrainedScaling, config.InitWeights));
    }

    [Theory]
    [MemberData(nameof(NonLinearityNames))]
    public void Create_WithAFunction_ComputesIt(string name)
    {
        var peft = Adapted(Places["behind"] with { NonLinearity = name });

        var y = Answer(peft.Model);

        Near.Within(Naive(peft, Functions[name]), y, 1e-5, "y"); // float32 sums of numbers up to 10
    }

    [Fact]
    public void NonLinearities_AllButErfsGelu_HaveARowHere() =>
        Assert.Equal(NonLinearities.Names.Where(static n => n != "gelu").Order(), Functions.Keys.Order());

    [Theory]
    [MemberData(nameof(PlaceNames))]
    public void Create_AtAPlace_ComputesTheNaiveSum(string place)
    {
        var peft = Adapted(Places[place]);

        var y = Answer(peft.Model);

        Near.Within(Naive(peft, Functions["swish"]), y, 1e-5, "y"); // float32 sums of numbers up to 10
    }

    [Theory]
    [MemberData(nameof(PlaceNames))]
    public void Gradient_AtAPlace_IsTheCentralDifference(string place) =>
        AdapterGradient.MustBeTheDifference(Adapted(Places[place]), X, Probe.Rows);

    [Fact]
    public void Create_WhenLayersDiffer_GivesEachItsSize_AndLeavesOut()
    {
        var json = JsonNode.Parse("""{"reduction_factor": {"1": 8, "default": 2}}""")!.AsObject();
        var config = BottleneckConfig.FromFields(new ConfigFields(json, "config"));

        var both = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config);
        var last = PeftModel.Create(Gpt2.Open(Gpt2.Imported), config with { LeaveOut = [0] });

        Assert.Equal([16L, 16, 4, 4], both.Parameters.Where(IsDown).Select(static p => p.Value.Initializer!.Dims[0]));
        Assert.Equal([4L, 4], last.Parameters.Where(IsDown).Select(static p => p.Value.Initializer!.Dims[0]));
    }

    [Fact]
    public void Create_OnUnknownNames_AsksForTargets()
    {
        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(SmallGraphs.Linear(), new BottleneckConfig()));

        Assert.Contains("target_modules", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WithoutAResidual_SaysThatThereIsNone()
    {
        var config = new BottleneckConfig { IsParallel = true, TargetModules = ["linear"] };

        var error = Assert.Throws<ConfigException>(() => PeftModel.Create(SmallGraphs.Linear(), config));

        Assert.Contains("residual", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"ln_after": true}""", "ln_after")]
    [InlineData("""{"use_gating": true}""", "use_gating")]
    [InlineData("""{"phm_layer": true}""", "phm_layer")]
    [InlineData("""{"inv_adapter": "nice"}""", "inv_adapter")]
    [InlineData("""{"original_ln_after": false}""", "original_ln_after")]
    [InlineData("""{"residual_before_ln": "post_add"}""", "residual_before_ln")]
    [InlineData("""{"stochastic_depth": 0.1}""", "stochastic_depth")]
    [InlineData("""{"non_linearity": "mish"}""", "swish")]
    [InlineData("""{"init_weights": "zeros"}""", "mam_adapter")]
    [InlineData("""{"scaling": "often"}""", "channel")]
    [InlineData("""{"reduction_factor": 0}""", "reduction_factor")]
    [InlineData("""{"preset": "compacter"}""", "pfeiffer")]
    [InlineData("""{"name": "a.b"}""", "name")]
    public void FromFields_WhenItCannotBe_SaysWhat(string json, string word)
    {
        var fields = new ConfigFields(JsonNode.Parse(json)!.AsObject(), "config");

        var error = Assert.Throws<ConfigException>(() => BottleneckConfig.FromFields(fields));

        Assert.Contains(word, error.Message, StringComparison.Ordinal);
    }

    private static double[] X => Probe.Numbers(Probe.Rows * Hidden, 0.3);

    private static bool IsDown(AdapterParameter p) => p.Name.EndsWith("down.0.weight", StringComparison.Ordinal);

    /// <summary>y = x + (x·Wᵀ + bias), the layer named as the end of GPT-2's MLP.</summary>
    private static Model Block()
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), Hidden]);
        var w = Tensor.Of<float>(Floats(Hidden * Hidden, 1.1), [Hidden, Hidden]);
        var weight = model.Graph.AddInitializer("h.0.mlp.c_proj.weight", w);
        var bias = model.Graph.AddInitializer("h.0.mlp.c_proj.bias", Tensor.Vector<float>(Floats(Hidden, 2.7)));
        model.Graph.AddOutput(g.Add(g.Gemm(x, weight, bias, transB: true), x));
        return model;
    }

    private static PeftModel Adapted(BottleneckConfig config)
    {
        var peft = PeftModel.Create(Block(), config with { TargetModules = ["mlp.c_proj"], ReductionFactor = 3 });
        peft.SetWeights(peft.GetWeights().Select(static (w, n) => KeyValuePair.Create(
            w.Key, Tensor.Of<float>(Floats((int)w.Value.Count, n + 0.2), w.Value.Dims.AsSpan()))).ToDictionary());
        return peft;
    }

    private static float[] Answer(Model model)
    {
        var x = Tensor.Of<float>(Floats(Probe.Rows * Hidden, 0.3), [Probe.Rows, Hidden]);
        return OnnxRun.Of(model, new Dictionary<string, Tensor> { ["x"] = x }).Values.Single().ToFloat32();
    }

    private static float[] Naive(PeftModel peft, Func<double, double> f)
    {
        var config = (BottleneckConfig)peft.Config;
        var (w, bias) = (Probe.Numbers(Hidden * Hidden, 1.1), Probe.Numbers(Hidden, 2.7));
        var scale = config.TrainedScaling is null ? (_, _) => config.Scaling : Probe.Matrix(peft, "scaling");
        var (down, up) = (Probe.Matrix(peft, "down.0.weight"), Probe.Matrix(peft, "up.weight"));
        var (downBias, upBias) = (Probe.Matrix(peft, "down.0.bias"), Probe.Matrix(peft, "up.bias"));
        var y = new List<float>();
        foreach (var x in X.Chunk(Hidden))
        {
            var h = Map(Hidden, o => bias[o] + Map(Hidden, i => x[i] * w[(o * Hidden) + i]).Sum());
            var read = Map(Hidden, i => config.IsParallel ? x[i] : config.OriginalLnBefore ? h[i] + x[i] : h[i]);
            var inner = Map(2, k => f(downBias(0, k) + Map(Hidden, i => read[i] * down(k, i)).Sum()));
            y.AddRange(Map(Hidden, o =>
            {
                var factor = scale(0, config.TrainedScaling == "channel" ? o : 0);
                return h[o] + x[o] + (factor * (upBias(0, o) + Map(2, k => inner[k] * up(o, k)).Sum()));
            }).Select(static v => (float)v));
        }

        return [.. y];
    }

    private static double[] Map(int count, Func<int, double> at) => [.. Enumerable.Range(0, count).Select(at)];

    private static float[] Floats(int count, double start) =>
        [.. Probe.Numbers(count, start).Select(static v => (float)v)];
}

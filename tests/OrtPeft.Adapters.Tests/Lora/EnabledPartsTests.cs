using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Tests.Proof;
using OrtPeft.Adapters.Tests.Several;
using OrtPeft.Adapters.Weighted;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>LoRA with <c>enable_lora</c>: single parts of a fused layer.</summary>
public sealed class EnabledPartsTests
{
    private const string Layer = "transformer.h.0.attn.c_attn";

    private static readonly LoraConfig QueriesAndValues = new()
    {
        R = 4,
        LoraAlpha = 6,
        TargetModules = ["c_attn"],
        EnableLora = [true, false, true],
        InitLoraWeights = false,
    };

    [Fact]
    public void Create_HasLoralibsShapes()
    {
        var peft = Create(QueriesAndValues);

        Assert.Equal([8, 32], peft.Parameters[0].Value.Initializer!.Dims.ToArray());
        Assert.Equal([64, 4], peft.Parameters[1].Value.Initializer!.Dims.ToArray());
    }

    /// <summary>Part k of the weight gains s·Bₖ·Aₖ, and a part that is off nothing.</summary>
    [Theory]
    [InlineData(true, false, true)]
    [InlineData(false, true, false)]
    [InlineData(true, true, true)]
    public void Merge_AddsEachPartsProductToItsOwnOutputs(params bool[] enabled)
    {
        var peft = Create(QueriesAndValues with { EnableLora = enabled });
        var (a, b) = (Numbers(peft, "lora_A"), Numbers(peft, "lora_B"));

        var merged = peft.Merge();

        var (before, after) = (Weight(Gpt2.Open(Gpt2.Imported)), Weight(merged));
        for (var o = 0; o < 96; o++)
        {
            var place = enabled.Take(o / 32).Count(static e => e);
            var row = (place * 32) + (o % 32);
            int[] ranks = enabled[o / 32] ? [0, 1, 2, 3] : [];
            for (var i = 0; i < 32; i++)
            {
                var product = ranks.Sum(k => (double)b[(row * 4) + k] * a[(((place * 4) + k) * 32) + i]);
                // float32 numbers of size 1
                Assert.Equal(before[(i * 96) + o] + (1.5 * product), after[(i * 96) + o], 1e-6);
            }
        }

        Assert.InRange(Answers.Difference(peft.Model, merged), 0, Answers.Rounding);
    }

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(false, true, true)]
    [InlineData(true, true, false)]
    [InlineData(true, true, false, true, true)]
    public void Gradient_IsTheCentralDifference(bool dora, params bool[] enabled)
    {
        var config = new LoraConfig
        {
            R = 1,
            UseDora = dora,
            EnableLora = enabled,
            InitLoraWeights = false,
            TargetModules = ["linear"],
        };

        var peft = PeftModel.Create(SmallGraphs.Linear(), config);

        AdapterGradient.MustBeTheDifference(peft, [1, -0.5, 0.25, 2], rows: 2);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void PlainLora_IsTheSameFunctionInHfPeftsForm(bool rslora, bool dora)
    {
        var config = QueriesAndValues with
        {
            UseRslora = rslora,
            UseDora = dora,
            RankPattern = [new("h.1.attn.c_attn", 2)],
            AlphaPattern = [new("h.0.attn.c_attn", 3)],
        };
        var peft = Create(config);

        var (plain, weights) = PlainLora.Of(peft);

        var converted = PeftModel.Create(Gpt2.Open(Gpt2.Imported), plain, weights, "plain");
        Assert.Null(plain.EnableLora);
        Assert.Equal([96, 8], weights[$"base_model.model.{Layer}.lora_B.weight"].Dims.ToArray());
        Assert.False(plain.ToJson().ContainsKey("enable_lora"));
        Assert.InRange(Answers.Difference(peft.Model, converted.Model), 0, Answers.Rounding);
    }

    [Fact]
    public void SetWeights_WithLoralibsNames_TakesThem()
    {
        var config = QueriesAndValues with { Bias = "lora_only" };
        var (trained, peft) = (Create(config, seed: 5), Create(config));

        peft.SetWeights(trained.GetWeights().ToDictionary(
            static w => w.Key.Replace("base_model.model.", "", StringComparison.Ordinal)
                .Replace(".weight", "", StringComparison.Ordinal)
                .Replace(".base_layer", "", StringComparison.Ordinal),
            static w => w.Value));

        Assert.Equal(Numbers(trained, "lora"), Numbers(peft, "lora"));
    }

    /// <summary>HF PEFT 0.2 keeps B as a convolution over one position.</summary>
    [Fact]
    public void SetWeights_WithAConvolutionsB_TakesIt()
    {
        var (trained, peft) = (Create(QueriesAndValues, seed: 5), Create(QueriesAndValues));

        peft.SetWeights(trained.GetWeights().ToDictionary(
            static w => w.Key,
            static w => w.Key.Contains("lora_B", StringComparison.Ordinal)
                ? Tensor.Of<float>(w.Value.ToFloat32(), [.. w.Value.Dims, 1])
                : w.Value));

        Assert.Equal(Numbers(trained, "lora"), Numbers(peft, "lora"));
    }

    [Fact]
    public void AddWeightedAdapter_OfPartsAndAWholeLayer_IsTheirSum()
    {
        var model = Create(QueriesAndValues);
        model.Adapters.Add("whole", QueriesAndValues with { EnableLora = null, R = 2 }, seed: 9);

        model.AddWeightedAdapter("sum", [("default", 1), ("whole", 1)], new() { CombinationType = "cat" });

        model.Adapters.Set("default", "whole");
        var both = Answers.Of(model.Model);
        model.Adapters.Set("sum");
        Assert.InRange(Answers.Difference(both, Answers.Of(model.Model)), 0, Answers.Rounding);
        Assert.Equal(10, ((LoraConfig)model.Config).R);
    }

    [Fact]
    public void Create_WhereTheLayerHasNoSuchParts_NamesIt()
    {
        var config = QueriesAndValues with { TargetModules = ["c_attn", "attn.c_proj"] };

        var error = Assert.Throws<ConfigException>(() => Create(config));

        Assert.Contains("3 entries", error.Message, StringComparison.Ordinal);
        Assert.Contains("transformer.h.0.attn.c_proj makes 32 features", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhenAnEmbeddingIsATarget_NamesIt()
    {
        var config = QueriesAndValues with { TargetModules = ["c_attn", "wte"] };

        var error = Assert.Throws<ConfigException>(() => Create(config));

        Assert.Contains("transformer.wte is an embedding", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WhenAFieldDoesNotGoWithParts_SaysSo()
    {
        var none = Assert.Throws<ConfigException>(() => Create(QueriesAndValues with { EnableLora = [false] }));
        var init = Assert.Throws<ConfigException>(() => Create(QueriesAndValues with { InitLoraWeights = "pissa" }));
        var bias = Assert.Throws<ConfigException>(() => Create(QueriesAndValues with { LoraBias = true }));

        Assert.Contains("no true in it", none.Message, StringComparison.Ordinal);
        Assert.Contains("'pissa'", init.Message, StringComparison.Ordinal);
        Assert.Contains("lora_bias", bias.Message, StringComparison.Ordinal);
    }

    private static PeftModel Create(LoraConfig config, long seed = 0) =>
        PeftModel.Create(Gpt2.Open(Gpt2.Imported), config, seed);

    private static float[] Numbers(PeftModel model, string part) => [.. model.GetWeights()
        .Where(w => w.Key.Contains(part, StringComparison.Ordinal)).SelectMany(static w => w.Value.ToFloat32())];

    private static float[] Weight(Model model) => model.Graph.Find($"{Layer}.weight")!.Initializer!.ToFloat32();
}

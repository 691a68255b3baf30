using OrtPeft.Adapters.Artifacts;
using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.LnTuning;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.Vera;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Quantization;

/// <summary>QLoRA's losses and gradients against the model whose weights are the dequantised numbers.</summary>
public sealed class QuantizedGradientTests
{
    /// <summary>float32 sums in another order; measured up to 3e-6 of a gradient's largest element.</summary>
    private const double SameNumbers = 1e-5;

    private const double Step = 1e-4;

    private static readonly LoraConfig Lora = new()
    {
        R = 4,
        LoraAlpha = 8,
        InitLoraWeights = false,
        TargetModules = "all-linear",
    };

    public static TheoryData<string, int, int, bool> Cases => QuantizedBase.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Step_OnAQuantisedBase_IsTheDequantisedOnes(string name, int bits, int size, bool isSymmetric)
    {
        var quantized = QuantizedBase.Quantized(name, bits, size, isSymmetric);
        var batch = QuantizedBase.Batch(name);

        var actual = Goldens.Step.Of(PeftModel.Create(quantized, Lora, seed: 3), batch);

        var dequantized = PeftModel.Create(QuantizedBase.Dequantized(quantized), Lora, seed: 3);
        var expected = Goldens.Step.Of(dequantized, batch);
        Assert.Equal(expected.Loss, actual.Loss, SameNumbers * expected.Loss);
        Assert.Equal(expected.Gradients.Keys, actual.Gradients.Keys);
        foreach (var (parameter, gradient) in expected.Gradients)
            Near.Relative(gradient, actual.Gradients[parameter], SameNumbers, parameter);
    }

    public static TheoryData<string> Methods => [.. Configs.Keys];

    private static IReadOnlyDictionary<string, PeftConfig> Configs { get; } = new Dictionary<string, PeftConfig>
    {
        ["dora"] = Lora with { UseDora = true },
        ["pissa"] = Lora with { InitLoraWeights = "pissa" },
        ["ia3"] = new Ia3Config { InitIa3Weights = false },
        ["loha"] = new LohaConfig { R = 4, InitWeights = false },
        ["lokr"] = new LokrConfig { InitWeights = false, DecomposeFactor = 4 },
        ["vera"] = new VeraConfig { R = 8, InitWeights = false },
        ["bottleneck"] = new BottleneckConfig { ReductionFactor = 4 },
        ["bitfit"] = new BitFitConfig(),
        ["ln-tuning"] = new LnTuningConfig(),
        ["prompt-tuning"] = new PromptTuningConfig { NumVirtualTokens = 3 },
        ["prefix-tuning"] = new PrefixTuningConfig { NumVirtualTokens = 3 },
    };

    [Theory]
    [MemberData(nameof(Methods))]
    public void Step_OfAnyMethodOnAQuantisedBase_IsTheDequantisedOnes(string method)
    {
        var quantized = QuantizedBase.Quantized(Gpt2.Imported);
        var batch = QuantizedBase.Batch(Gpt2.Imported);

        var actual = Goldens.Step.Of(PeftModel.Create(quantized, Configs[method], seed: 3), batch);

        var dequantized = PeftModel.Create(QuantizedBase.Dequantized(quantized), Configs[method], seed: 3);
        var expected = Goldens.Step.Of(dequantized, batch);
        Assert.Equal(expected.Loss, actual.Loss, SameNumbers * expected.Loss);
        var all = expected.Gradients.SelectMany(static g => g.Value.ToFloat32()).ToArray();
        // of the largest element of all: the key bias' gradient is zero but for rounding
        Near.Relative(all, [.. expected.Gradients.Keys.SelectMany(p => actual.Gradients[p].ToFloat32())], SameNumbers, method);
    }

    /// <summary>
    /// The quantised graph computes in float32, so its gradient g stands beside float64 differences of the dequantised
    /// model's loss L along u = g/|g|: (L(θ + h·u) − L(θ − h·u))/2h is |g|, to float32's 1e-6 and the line's curvature.
    /// </summary>
    [Theory]
    [InlineData(Gpt2.Imported, 4, true)]
    [InlineData(Gpt2.Imported, 8, false)]
    [InlineData(QuantizedBase.Llama, 4, false)]
    [InlineData(QuantizedBase.Llama, 8, true)]
    public void Gradients_OnAQuantisedBase_AreTheDequantisedLossesDifferences(string name, int bits, bool isSymmetric)
    {
        var quantized = QuantizedBase.Quantized(name, bits, 32, isSymmetric);
        var batch = QuantizedBase.Batch(name);
        var gradients = Goldens.Step.Of(PeftModel.Create(quantized, Lora, seed: 3), batch).Gradients;
        using var exact = new ExactLoss(
            PeftModel.Create(QuantizedBase.Dequantized(quantized), Lora, seed: 3), batch);
        var count = Goldens.Step.SupervisedIn(batch["labels"]);
        foreach (var (parameter, tensor) in gradients)
        {
            var gradient = tensor.ToFloat32();
            var norm = Math.Sqrt(gradient.Sum(static v => (double)v * v));
            float[] direction = [.. gradient.Select(v => (float)(v / norm))];

            var difference = (exact.At(parameter, direction, Step) - exact.At(parameter, direction, -Step)) / (2 * Step);

            Assert.Equal(norm, difference / count, 1e-5 * norm);
        }
    }

    [Theory]
    [InlineData(Gpt2.Imported)]
    [InlineData(QuantizedBase.Llama)]
    public void ForTraining_OnAQuantisedBase_DequantisesAgainForTheGradient(string name)
    {
        var peft = PeftModel.Create(QuantizedBase.Quantized(name), Lora);

        var graph = TrainingGraph.ForTraining(peft, new CausalLm()).Graph;

        var dequantized = graph.Nodes.Where(static n => n.Is("DequantizeLinear")).ToArray();
        Assert.All(dequantized, static n => Assert.Single(n.Output.Uses));
        var kept = dequantized.Where(static n => QuantizedWeight.Find(n.Output) is not null).ToArray();
        Assert.Equal(peft.Parameters.Count / 2, kept.Length);
        Assert.All(kept, n => Assert.False(IsOfGradient(n.Output.Uses[0].Node)));
        var again = dequantized.Except(kept).ToArray();
        Assert.InRange(again.Length, kept.Length - 4, kept.Length); // nothing trains below the first layers
        Assert.All(again, n => Assert.True(IsOfGradient(n.Output.Uses[0].Node)));

        static bool IsOfGradient(Node node) => node.Name.StartsWith("/gradient", StringComparison.Ordinal);
    }
}

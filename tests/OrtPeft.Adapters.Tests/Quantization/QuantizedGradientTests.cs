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
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
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

    public static TheoryData<string, string, int> Cases => QuantizedBase.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Step_OnAQuantisedBase_IsTheDequantisedOnes(string name, string form, int size)
    {
        var quantized = QuantizedBase.Quantized(name, form, size);
        var batch = QuantizedBase.Batch(name);

        var actual = Goldens.Step.Of(PeftModel.Create(quantized, Lora, seed: 3), batch);

        var dequantized = PeftModel.Create(QuantizedBase.Dequantized(quantized), Lora, seed: 3);
        var expected = Goldens.Step.Of(dequantized, batch);
        Assert.Equal(expected.Loss, actual.Loss, SameNumbers * expected.Loss);
        Assert.Equal(expected.Gradients.Keys, actual.Gradients.Keys);
        foreach (var (parameter, gradient) in expected.Gradients)
            Near.Relative(gradient, actual.Gradients[parameter], SameNumbers, parameter);
    }

    public static TheoryData<string, string> Methods
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var form in new[] { "int4", "nf4" })
                foreach (var method in Configs.Keys)
                    cases.Add(method, form);
            return cases;
        }
    }

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
    public void Step_OfAnyMethodOnAQuantisedBase_IsTheDequantisedOnes(string method, string form)
    {
        var quantized = QuantizedBase.Quantized(Gpt2.Imported, form);
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
    [InlineData(Gpt2.Imported, "int4")]
    [InlineData(Gpt2.Imported, "uint8")]
    [InlineData(Gpt2.Imported, "nf4")]
    [InlineData(QuantizedBase.Llama, "uint4")]
    [InlineData(QuantizedBase.Llama, "int8")]
    [InlineData(QuantizedBase.Llama, "nf4")]
    public void Gradients_OnAQuantisedBase_AreTheDequantisedLossesDifferences(string name, string form)
    {
        var quantized = QuantizedBase.Quantized(name, form);
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
    [InlineData(Gpt2.Imported, "int4", "DequantizeLinear")]
    [InlineData(Gpt2.Imported, "nf4", "Reshape")]
    [InlineData(QuantizedBase.Llama, "int4", "DequantizeLinear")]
    [InlineData(QuantizedBase.Llama, "nf4", "Reshape")]
    public void ForTraining_OnAQuantisedBase_DequantisesAgainForTheGradient(string name, string form, string last)
    {
        var peft = PeftModel.Create(QuantizedBase.Quantized(name, form), Lora);

        var graph = TrainingGraph.Build(peft, new CausalLm()).Graph;

        var kept = graph.Nodes.Where(static n => QuantizedWeight.Find(n.Output) is not null).ToArray();
        Assert.Equal(peft.Parameters.Count / 2, kept.Length);
        Assert.All(kept, static n => Assert.False(IsOfGradient(Assert.Single(n.Output.Uses).Node)));
        var again = graph.Nodes.Where(n => n.Is(last) && n.Name.StartsWith("/gradient/deq", StringComparison.Ordinal))
            .ToArray();
        Assert.InRange(again.Length, kept.Length - 4, kept.Length); // nothing trains below the first layers
        Assert.All(again, static n => Assert.True(IsOfGradient(Assert.Single(n.Output.Uses).Node)));

        static bool IsOfGradient(Node node) => node.Name.StartsWith("/gradient", StringComparison.Ordinal);
    }
}

using OrtPeft.Adapters.PTuning;
using OrtPeft.Adapters.PrefixTuning;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.Tests.Llama;

namespace OrtPeft.Adapters.Tests.PromptLearning;

/// <summary>Gradients of virtual tokens and of their encoders in float64 against central differences.</summary>
public sealed class PromptGradientTests
{
    private const double Step = 1e-5;

    /// <summary>
    /// A difference over 2e-5 is off by the loss's rounding, 1e-9, and by the third derivative's share, about 1e-10
    /// times it; a float32 number on the way would show at 1e-7.
    /// </summary>
    private const double Tolerance = 2e-8;

    private static readonly Dictionary<string, PeftConfig> Configs = new()
    {
        ["prompt"] = new PromptTuningConfig { NumVirtualTokens = 2 },
        ["p-tuning, MLP"] = new PTuningConfig { NumVirtualTokens = 2, EncoderHiddenSize = 3 },
        ["p-tuning, LSTM"] = new PTuningConfig
        {
            NumVirtualTokens = 3,
            EncoderReparameterizationType = "LSTM",
            EncoderHiddenSize = 2,
        },
        ["prefix"] = new PrefixTuningConfig { NumVirtualTokens = 2 },
        ["prefix, projected"] = new PrefixTuningConfig
        {
            NumVirtualTokens = 2,
            PrefixProjection = true,
            EncoderHiddenSize = 3,
        },
    };

    public static TheoryData<string, string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, string>();
            foreach (var config in Configs.Keys)
                foreach (var model in new[] { "llama", "qwen2, tied" })
                    foreach (var batch in SmallLlama.Batches.Keys)
                        cases.Add(config, model, batch);
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_AreTheLossesDifferences(string config, string model, string batch)
    {
        var peft = PeftModel.Create(SmallLlama.Model(model), Configs[config], seed: 3);
        using var step = new DoubleStep(peft, SmallLlama.Batch(batch));

        var gradients = step.Gradients();

        Assert.Equal(peft.Parameters.Select(static p => p.Name), gradients.Keys);
        Assert.Contains(gradients.Values, static g => g.Max(Math.Abs) > 1e-3);
        foreach (var (name, gradient) in gradients)
        {
            for (var i = 0; i < gradient.Length; i += Math.Max(1, gradient.Length / 6))
                MustMatch(step, name, i, gradient[i]);
        }
    }

    private static void MustMatch(DoubleStep step, string name, int index, double gradient)
    {
        var at = step[name];
        var difference = (Loss(Step) - Loss(-Step)) / (2 * Step);
        Assert.True(
            Math.Abs(gradient - difference) <= Tolerance * (1 + Math.Abs(difference)),
            $"{name}[{index}]: the gradient is {gradient:R}, the central difference {difference:R}.");

        double Loss(double distance) => step.Loss(new Dictionary<string, double[]>
        {
            [name] = [.. at.Select((v, place) => place == index ? v + distance : v)],
        });
    }
}

using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.Tests.Llama;

/// <summary>The whole training graph of Llama and Qwen2 in float64 against central differences of its loss.</summary>
public sealed class LlamaGradientTests
{
    private const double Step = 1e-5;

    /// <summary>
    /// A difference over 2e-5 is off by the loss's rounding, 1e-15 · 20 / 2e-5 = 1e-9, and by the third derivative's
    /// share, about 1e-10 times it. A float32 number on the way would show at 1e-7 of the largest element and above.
    /// </summary>
    private const double Tolerance = 2e-8;

    public static TheoryData<string, string> Cases => SmallLlama.Cases;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_OfLora_AreTheLossesDifferences(string config, string batch)
    {
        var lora = new LoraConfig { R = 2, LoraAlpha = 4, InitLoraWeights = false };
        var peft = PeftModel.Create(SmallLlama.Model(config), lora, seed: 3);
        using var step = new DoubleStep(peft, SmallLlama.Batch(batch));

        var gradients = step.Gradients();

        var modules = Enumerable.Range(0, 2).SelectMany(static layer => new[] { "q_proj", "v_proj" }.SelectMany(
            module => new[] { "lora_A", "lora_B" }.Select(
                part => $"base_model.model.model.layers.{layer}.self_attn.{module}.{part}.weight")));
        Assert.Equal(modules, gradients.Keys);
        Assert.All(gradients.Values, static g => Assert.True(g.Max(Math.Abs) > 1e-3));
        foreach (var (name, gradient) in gradients)
            MustMatch(step, name, gradient, every: 1);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_OfAllWeights_AreTheLossesDifferences(string config, string batch)
    {
        var peft = PeftModel.Create(SmallLlama.Model(config), new FullConfig());
        using var step = new DoubleStep(peft, SmallLlama.Batch(batch));

        var gradients = step.Gradients();

        var weights = SmallLlama.Configs[config].ToArchitecture().Weights.Select(static w => w.Name);
        Assert.Equal(weights.Order(), gradients.Keys.Order());
        foreach (var (name, gradient) in gradients)
            MustMatch(step, name, gradient, every: Math.Max(1, gradient.Length / 8));
        MustMatchAlongARandomLine(step, gradients);
    }

    private static void MustMatch(DoubleStep step, string name, double[] gradient, int every)
    {
        var at = step[name];
        for (var i = 0; i < gradient.Length; i += every)
        {
            var difference = Difference(distance => step.Loss(new Dictionary<string, double[]>
            {
                [name] = [.. at.Select((v, place) => place == i ? v + distance : v)],
            }));
            MustBeNear(difference, gradient[i], $"{name}[{i}]");
        }
    }

    /// <summary>All elements at once, each by an amount of its own.</summary>
    private static void MustMatchAlongARandomLine(DoubleStep step, Dictionary<string, double[]> gradients)
    {
        var random = new SplitMix64(9, "line");
        var line = gradients.ToDictionary(
            static g => g.Key, g => g.Value.Select(_ => (double)random.NextUniform(-0.1, 0.1)).ToArray());

        var difference = Difference(distance => step.Loss(line.ToDictionary(
            static l => l.Key, l => step[l.Key].Zip(l.Value, (v, way) => v + (distance * way)).ToArray())));

        MustBeNear(difference, line.Sum(l => l.Value.Zip(gradients[l.Key], static (a, b) => a * b).Sum()), "line");
    }

    private static double Difference(Func<double, double> loss) => (loss(Step) - loss(-Step)) / (2 * Step);

    private static void MustBeNear(double difference, double gradient, string what) => Assert.True(
        Math.Abs(gradient - difference) <= Tolerance * (1 + Math.Abs(difference)),
        $"{what}: the gradient is {gradient:R}, the central difference {difference:R}.");
}

using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Optimizers;

/// <summary>LoRA+: B moves at a rate of its own.</summary>
public sealed class LoraPlusTests
{
    private const int Half = 16;

    /// <summary>As the optimiser's own test: weights of about 1, rounded 200 times.</summary>
    [Fact]
    public void Build_WithTwoRates_FollowsTwoFloat64Optimizers()
    {
        var config = new AdamWConfig { MaxGradNorm = 0, WeightDecay = 0.1 };
        var random = new SplitMix64(2, "two rates");
        var start = Normal(random, 1);
        var (slow, fast) = (new AdamW(Doubles(start[..Half]), config), new AdamW(Doubles(start[Half..]), config));
        var factors = Enumerable.Range(0, 2 * Half).Select(static i => i < Half ? 1f : 16).ToArray();
        using var session = ModelSession.Open(
            OptimizerGraph.Build(
                [Layout.Of("slow", 0, Half), Layout.Of("fast", Half, Half) with { LearningRateFactor = 16 }], config).Model,
            new RuntimeOptions { Threads = 1 });
        var state = (Weights: Vector(start), M: Vector(new float[2 * Half]), V: Vector(new float[2 * Half]));

        for (var step = 1; step <= 200; step++)
        {
            var gradient = Normal(random, 0.3);
            slow.Step(gradient[..Half], 1e-3);
            fast.Step(gradient[Half..], 16e-3);
            var outputs = OnnxRun.Of(session, new Dictionary<string, Tensor>
            {
                [ValueRoles.Parameters] = state.Weights,
                [ValueRoles.FirstMoments] = state.M,
                [ValueRoles.SecondMoments] = state.V,
                [ValueRoles.Gradients] = Vector(gradient),
                [ValueRoles.LearningRate] = Tensor.Scalar(1e-3f),
                [ValueRoles.LearningRateFactors] = Vector(factors),
                [ValueRoles.Step] = Tensor.Scalar((long)step),
            });
            state = (
                outputs[ValueRoles.Updated(ValueRoles.Parameters)],
                outputs[ValueRoles.Updated(ValueRoles.FirstMoments)],
                outputs[ValueRoles.Updated(ValueRoles.SecondMoments)]);
        }

        float[] expected = [.. slow.Weights.Concat(fast.Weights).Select(static v => (float)v)];
        Near.Within(expected, state.Weights.ToFloat32(), 1e-4, "weights");
    }

    /// <summary>
    /// Adam's first step is the rate times the gradient's sign: what moves 16 times as far has 16 times the rate.
    /// </summary>
    [Fact]
    public void Train_WithARatio_MovesBAndVectorsFartherAndAAsBefore()
    {
        var config = new LoraConfig
        {
            R = 4,
            TargetModules = ["c_attn", "wte"],
            InitLoraWeights = false,
            UseDora = true,
            Bias = "lora_only",
        };
        var optimizer = new AdamWConfig { WeightDecay = 0 };
        var arguments = Tiny.Arguments with { MaxSteps = 1, LearningRate = 1e-3, Optimizer = optimizer };

        var plain = Moves(config, arguments);
        var plus = Moves(config, arguments with { LoraPlusRatio = 16, LoraPlusEmbeddingRate = 5e-3 });

        foreach (var (name, by) in plain)
        {
            var factor = name.Contains("embedding", StringComparison.Ordinal) ? 5
                : name.Contains("lora_A", StringComparison.Ordinal) ? 1
                : 16;
            var scale = by.Max(float.Abs);
            Near.Within([.. by.Select(v => v * factor)], plus[name], 1e-3 * scale * factor, name);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void Trainer_WhenTheRatioIsNotPositive_SaysSo(double ratio)
    {
        var error = Assert.ThrowsAny<ArgumentException>(
            () => new Trainer(Tiny.Lora(), Tiny.Arguments with { LoraPlusRatio = ratio }, Tiny.Data));

        Assert.Contains(nameof(TrainingArguments.LoraPlusRatio), error.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, float[]> Moves(LoraConfig config, TrainingArguments arguments)
    {
        var model = PeftModel.Create(Tiny.Base, config, seed: 2);
        var before = model.GetWeights().ToDictionary(static w => w.Key, static w => w.Value.ToFloat32());
        Tiny.Run(model, arguments);
        return model.GetWeights().ToDictionary(
            static w => w.Key,
            w => KeyBias.Left(
                w.Key, Vector([.. w.Value.ToFloat32().Zip(before[w.Key], static (now, then) => now - then)])));
    }

    private static double[] Doubles(float[] values) => [.. values.Select(static v => (double)v)];

    private static Tensor Vector(float[] values) => Tensor.Of<float>(values, [values.Length]);

    private static float[] Normal(SplitMix64 random, double deviation) =>
        [.. Enumerable.Range(0, 2 * Half).Select(_ => random.NextNormal(deviation))];
}

using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Testing;

namespace OrtPeft.Training.Tests.Optimizers;

public sealed class OptimizerGraphTests
{
    private const int Count = 48;

    /// <summary>
    /// Weights of about 1 are rounded 300 times, by 2⁻²⁵ at most each; the moments add about as much. 1e-4 leaves room.
    /// </summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 0.1)]
    [InlineData(1, 0)]
    [InlineData(1, 0.1)]
    public void Build_WhenRunForManySteps_FollowsFloat64(double maxGradNorm, double weightDecay)
    {
        var config = new AdamWConfig { MaxGradNorm = maxGradNorm, WeightDecay = weightDecay };
        var random = new SplitMix64(1, "optimizer");
        var start = Normal(random, 1);
        var reference = new AdamW([.. start.Select(static v => (double)v)], config);
        var graph = OptimizerGraph.Build([Layout.Of("w", 0, Count)], config).Model;
        using var session = ModelSession.Open(graph, new RuntimeOptions { Threads = 1 });
        var state = (Weights: Vector(start), M: Vector(new float[Count]), V: Vector(new float[Count]));

        for (var step = 1; step <= 300; step++)
        {
            var gradient = Normal(random, step % 50 == 0 ? 100 : 0.3);
            var rate = 0.01 * step / 300;
            var norm = reference.Step(gradient, rate);
            var outputs = OnnxRun.Of(session, new Dictionary<string, Tensor>
            {
                [ValueRoles.Parameters] = state.Weights,
                [ValueRoles.FirstMoments] = state.M,
                [ValueRoles.SecondMoments] = state.V,
                [ValueRoles.Gradients] = Vector(gradient),
                [ValueRoles.LearningRate] = Tensor.Scalar((float)rate),
                [ValueRoles.Step] = Tensor.Scalar((long)step),
            });
            Assert.Equal(1, outputs[ValueRoles.GradNorm].ToFloat32()[0] / norm, 1e-5);
            state = (
                outputs[ValueRoles.Updated(ValueRoles.Parameters)],
                outputs[ValueRoles.Updated(ValueRoles.FirstMoments)],
                outputs[ValueRoles.Updated(ValueRoles.SecondMoments)]);
        }

        Near.Within([.. reference.Weights.Select(static v => (float)v)], state.Weights.ToFloat32(), 1e-4, "weights");
    }

    /// <summary>From nothing, step t moves by the rate times √(1 − β₂ᵗ) / (1 − β₁ᵗ) · (1 − β₁) / √(1 − β₂): in float32 to some
    /// units of its last digit, in the first steps as in late ones, and where the series ends: β₂'s at 100, β₁'s at 1.</summary>
    [Theory]
    [InlineData(0.9, 0.999)]
    [InlineData(0.9, 0.99999)]
    [InlineData(0, 0.95)]
    public void Build_AtAnyStep_CorrectsTheBiasAsFloat64Does(double beta1, double beta2)
    {
        var config = new AdamWConfig { Beta1 = beta1, Beta2 = beta2, WeightDecay = 0, MaxGradNorm = 0, Epsilon = 1e-30 };
        using var session = ModelSession.Open(OptimizerGraph.Build([Layout.Of("w", 0, 16)], config).Model, new RuntimeOptions { Threads = 1 });
        var zero = Tensor.Of<float>(new float[16], [16]);

        foreach (var step in (long[])[1, 2, 3, 7, 50, 99, 100, 101, 1000, 9_999, 10_001, 1_000_000])
        {
            var outputs = OnnxRun.Of(session, new Dictionary<string, Tensor>
            {
                [ValueRoles.Parameters] = zero,
                [ValueRoles.FirstMoments] = zero,
                [ValueRoles.SecondMoments] = zero,
                [ValueRoles.Gradients] = Tensor.Of<float>(Enumerable.Repeat(1f, 16).ToArray(), [16]),
                [ValueRoles.LearningRate] = Tensor.Scalar(1f),
                [ValueRoles.Step] = Tensor.Scalar(step),
            });

            var first = (1 - beta1) / (1 - Math.Pow(beta1, step));
            var second = (1 - beta2) / (1 - Math.Pow(beta2, step));
            var moved = outputs[ValueRoles.Updated(ValueRoles.Parameters)].ToFloat32()[0];
            // 1 − β is a float32 constant here, of half a unit: of 1e-5 that is 6e-8 as well.
            Assert.Equal(1, moved / (-first / Math.Sqrt(second)), 1e-6);
        }
    }

    /// <summary>
    /// Lengths around a piece of the sum, and three million that pieces divide or, being 16 times a prime, do not. float32's own
    /// rounding of the norm is 6e-8; a piece of some thousand squares adds a few of these.
    /// </summary>
    [Theory]
    [InlineData(16)]
    [InlineData(4080)]
    [InlineData(4096)]
    [InlineData(4112)]
    [InlineData(3_000_000)]
    [InlineData(3_000_112)]
    public void Build_OfAnyLength_MeasuresAndClipsByTheNormOfFloat64(int count)
    {
        var random = new SplitMix64(5, "norm");
        var gradient = new float[count];
        foreach (ref var element in gradient.AsSpan())
            element = (float)((2 * random.NextDouble()) - 1);
        var squares = gradient.Sum(static g => (double)g * g);
        var config = new AdamWConfig { MaxGradNorm = Math.Sqrt(squares) / 2 };
        var graph = OptimizerGraph.Build([Layout.Of("w", 0, count)], config).Model;
        using var session = ModelSession.Open(graph, new RuntimeOptions { Threads = 2 });

        var zeros = Tensor.Of<float>(new float[count], [count]);
        var outputs = OnnxRun.Of(session, new Dictionary<string, Tensor>
        {
            [ValueRoles.Parameters] = zeros,
            [ValueRoles.FirstMoments] = zeros,
            [ValueRoles.SecondMoments] = zeros,
            [ValueRoles.Gradients] = Tensor.Of<float>(gradient, [count]),
            [ValueRoles.LearningRate] = Tensor.Scalar(0f),
            [ValueRoles.Step] = Tensor.Scalar(1L),
        });

        Assert.Equal(1, outputs[ValueRoles.GradNorm].ToFloat32()[0] / Math.Sqrt(squares), 1e-6);
        var moment = outputs[ValueRoles.Updated(ValueRoles.FirstMoments)].ToFloat32()[0];
        Assert.Equal(0.05, moment / gradient[0], 1e-6);
    }

    private static Tensor Vector(float[] values) => Tensor.Of<float>(values, [values.Length]);

    private static float[] Normal(SplitMix64 random, double deviation)
    {
        var values = new float[Count];
        for (var i = 0; i < Count; i++)
            values[i] = random.NextNormal(deviation);
        return values;
    }
}

using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Testing;

namespace OrtPeft.Training.Tests.Optimizers;

/// <summary>Every optimizer with scaled gradients takes the steps that it takes with the gradients themselves, and leaves out those
/// whose gradients are not finite.</summary>
public sealed class LossScalingTests
{
    private const int Rows = 8, Columns = 16;

    private static readonly OptimizerConfig[] All =
    [
        new AdamWConfig { WeightDecay = 0.1 }, new AdamW8bitConfig(), new AdafactorConfig(), new LionConfig(), new MuonConfig(),
        new ScheduleFreeAdamWConfig(), new SgdConfig { Momentum = 0.9 },
    ];

    public static TheoryData<string> Names => [.. All.Select(static c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Build_WithAScale_StepsAsWithoutAndSkipsWhatIsNotFinite(string name)
    {
        using var plain = Run.Of(name, scalesLoss: false);
        using var scaled = Run.Of(name, scalesLoss: true);
        var random = new SplitMix64(3, "scaling");
        float[] skippedAt = [float.PositiveInfinity, float.NaN, float.NegativeInfinity];

        for (int step = 1, taken = 1; step <= 6; step++)
        {
            float[] gradient = [.. Enumerable.Range(0, Rows * Columns).Select(_ => (float)((2 * random.NextDouble()) - 1))];
            if (step % 2 == 1)
            {
                var before = scaled.State;
                var broken = gradient.ToArray();
                broken[step] = skippedAt[step / 2];
                Assert.False(float.IsFinite(scaled.Step(step, broken)));
                Same(before, scaled.State, except: [ValueRoles.GradientScale, ValueRoles.GrowthTracker, ValueRoles.SkippedSteps]);
                continue;
            }

            var scale = scaled[ValueRoles.GradientScale];
            var norm = scaled.Step(step, [.. gradient.Select(g => g * scale)]);
            Assert.Equal(plain.Step(taken++, gradient), norm);
            Same(plain.State, scaled.State, except: []);
        }

        Assert.Equal((65536f / 8, 1f, 3f), scaled.Scaling);
    }

    [Theory]
    [InlineData(1998, 65536f, 1999, 65536f)]
    [InlineData(1999, 65536f, 0, 131072f)]
    [InlineData(1999, 1.7014118e38f, 0, 1.7014118e38f)]
    public void Build_After2000StepsInARow_DoublesTheScale(float tracker, float scale, float trackerAfter, float scaleAfter)
    {
        using var run = Run.Of("adamw_torch", scalesLoss: true);
        run.Set(ValueRoles.GrowthTracker, tracker);
        run.Set(ValueRoles.GradientScale, scale);

        run.Step(1, new float[Rows * Columns]);

        Assert.Equal((scaleAfter, trackerAfter, 0f), run.Scaling);
    }

    private static void Same(Dictionary<string, Tensor> expected, Dictionary<string, Tensor> actual, string[] except)
    {
        foreach (var (role, tensor) in expected.Where(e => !except.Contains(e.Key)))
            Assert.Equal(tensor.Data.Slice(0, (int)tensor.Data.Length).ToArray(), actual[role].Data.Slice(0, (int)tensor.Data.Length).ToArray());
    }

    /// <summary>A graph and what goes from step to step.</summary>
    private sealed class Run(CompiledGraph graph) : IDisposable
    {
        private readonly ModelSession _session = ModelSession.Open(graph.Model, new RuntimeOptions { Threads = 1 });

        public Dictionary<string, Tensor> State { get; private set; } = graph.Contract.Inputs
            .Where(v => v.Role == ValueRoles.Parameters || graph.Contract.States.Contains(v))
            .ToDictionary(static v => v.Role, static v => First(v));

        public float this[string role] => State[role].ToFloat32()[0];

        public (float Scale, float Tracker, float Skipped) Scaling =>
            (this[ValueRoles.GradientScale], this[ValueRoles.GrowthTracker], this[ValueRoles.SkippedSteps]);

        public static Run Of(string name, bool scalesLoss)
        {
            ArtifactParameter[] parameters = [Layout.Of("w", 0, Rows * Columns) with { Dims = [Rows, Columns] }];
            return new Run(OptimizerGraph.Build(parameters, All.Single(c => c.Name == name), scalesLoss));
        }

        public void Set(string role, float value) => State[role] = Tensor.Scalar(value);

        public float Step(int step, float[] gradient)
        {
            var feeds = new Dictionary<string, Tensor>(State)
            {
                [ValueRoles.Gradients] = Tensor.Of<float>(gradient, [gradient.Length]),
                [ValueRoles.LearningRate] = Tensor.Scalar(0.01f),
                [ValueRoles.Step] = Tensor.Scalar((long)step),
            };
            var outputs = OnnxRun.Of(_session, feeds);
            State = State.Keys.ToDictionary(static r => r, r => outputs[ValueRoles.Updated(r)]);
            return outputs[ValueRoles.GradNorm].ToFloat32()[0];
        }

        public void Dispose() => _session.Dispose();

        private static Tensor First(ArtifactValue value)
        {
            long[] dims = [.. value.Dims!.Select(static d => d.Length!.Value)];
            var count = dims.Aggregate(1L, static (n, d) => n * d);
            if (value.Role == ValueRoles.GradientScale)
                return Tensor.Scalar(LossScaling.Initial);
            if (value.Dtype == ElementType.UInt8)
                return Tensor.Of<byte>(new byte[count], dims);
            var isFilled = value.Role == ValueRoles.Parameters || ValueRoles.IsParametersAtFirst(value.Role);
            return Tensor.Of<float>([.. Enumerable.Range(0, (int)count).Select(i => isFilled ? (i % 7) - 3f : 0f)], dims);
        }
    }
}

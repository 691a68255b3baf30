using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Optimizers;

/// <summary>Lion and SGD, step by step against their definitions in float64.</summary>
public sealed class OtherOptimizersTests
{
    private const int Count = 37;
    private const int Steps = 100;

    public static TheoryData<string> Cases => [.. Configs.Keys];

    private static Dictionary<string, OptimizerConfig> Configs { get; } = new()
    {
        ["lion"] = new LionConfig { MaxGradNorm = 0 },
        ["lion, decayed, clipped"] = new LionConfig { Beta1 = 0.8, Beta2 = 0.95, WeightDecay = 0.3, MaxGradNorm = 0.5 },
        ["sgd"] = new SgdConfig { Momentum = 0, MaxGradNorm = 0 },
        ["sgd, momentum"] = new SgdConfig { MaxGradNorm = 0 },
        ["sgd, nesterov, decayed, clipped"] = new SgdConfig { Nesterov = true, WeightDecay = 0.1, MaxGradNorm = 0.5 },
    };

    /// <summary>Weights of about 1 are rounded 100 times, by 2⁻²⁵ at most each; the state adds as much.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Build_WhenRunForManySteps_FollowsFloat64(string name)
    {
        var config = Configs[name];
        var random = new SplitMix64(1, name);
        var start = Normal(random, 1);
        var graph = OptimizerGraph.Build(Count, config);
        using var session = ModelSession.Open(graph.Model, new RuntimeOptions { Threads = 1 });
        var roles = graph.Contract.Outputs.Select(static o => o.Role).Where(static r => r != ValueRoles.GradNorm)
            .Select(static r => r["updated_".Length..]).ToArray();
        var feeds = roles.ToDictionary(
            static r => r, r => Tensor.Of<float>(r == ValueRoles.Parameters ? start : new float[Count], [Count]));
        var (weights, state) = (start.Select(static x => (double)x).ToArray(), new double[Count]);

        for (var step = 1; step <= Steps; step++)
        {
            var gradient = Normal(random, 0.3);
            var rate = (float)(0.01 * step / Steps);
            Move(config, weights, state, [.. gradient.Select(static x => (double)x)], rate);
            feeds[ValueRoles.Gradients] = Tensor.Of<float>(gradient, [Count]);
            feeds[ValueRoles.LearningRate] = Tensor.Scalar(rate);
            if (graph.Contract.Input(ValueRoles.Step) is not null)
                feeds[ValueRoles.Step] = Tensor.Scalar((long)step);
            var outputs = OnnxRun.Of(session, feeds);
            foreach (var role in roles)
                feeds[role] = outputs[ValueRoles.Updated(role)];
        }

        var found = feeds[ValueRoles.Parameters].ToFloat32();
        Near.Within([.. weights.Select(static x => (float)x)], found, 2e-5, name);
        Assert.True(start.Zip(found).All(static p => Math.Abs(p.First - p.Second) > 1e-4));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_StoppedAndResumed_EndsWithTheSameBits(string name)
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { Optimizer = Configs[name], MaxSteps = 4, OutputFolder = folder["run"] };
        var (whole, parts) = (Tiny.Lora(), Tiny.Lora());

        Tiny.Run(whole, arguments with { OutputFolder = null });
        using (var stop = new CancellationTokenSource())
        {
            using var first = new Trainer(parts, arguments, Tiny.Data);
            first.Train(new Tiny.Observer(p => { if (p.Step == 2) stop.Cancel(); }), stop.Token);
        }

        var resumed = Tiny.Lora();
        Tiny.Run(resumed, arguments with { Resume = true });

        Assert.Equal(Tiny.Numbers(whole), Tiny.Numbers(resumed));
        var error = Assert.ThrowsAny<ArgumentException>(
            () => Tiny.Run(Tiny.Lora(), arguments with { Optimizer = new AdamWConfig(), Resume = true }));
        Assert.Contains("optim", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The definitions, as the paper and PyTorch's page have them.</summary>
    private static void Move(OptimizerConfig config, double[] p, double[] state, double[] g, double rate)
    {
        var norm = Math.Sqrt(g.Sum(static x => x * x));
        var clip = config.MaxGradNorm > 0 ? Math.Min(1, config.MaxGradNorm / (norm + 1e-6)) : 1;
        for (var i = 0; i < p.Length; i++)
        {
            var gradient = g[i] * clip;
            if (config is LionConfig lion)
            {
                var update = Math.Sign((lion.Beta1 * state[i]) + ((1 - lion.Beta1) * gradient));
                p[i] -= rate * (update + (lion.WeightDecay * p[i]));
                state[i] = (lion.Beta2 * state[i]) + ((1 - lion.Beta2) * gradient);
            }
            else if (config is SgdConfig sgd)
            {
                gradient += sgd.WeightDecay * p[i];
                state[i] = (sgd.Momentum * state[i]) + gradient;
                p[i] -= rate * (sgd.Momentum == 0 ? gradient
                    : sgd.Nesterov ? gradient + (sgd.Momentum * state[i]) : state[i]);
            }
        }
    }

    private static float[] Normal(SplitMix64 random, double scale) =>
        [.. Enumerable.Range(0, Count).Select(_ => random.NextNormal(scale))];
}

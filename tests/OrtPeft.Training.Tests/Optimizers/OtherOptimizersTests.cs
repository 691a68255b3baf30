using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Optimizers;

/// <summary>Every optimiser but AdamW, step by step against its definition in float64.</summary>
public sealed class OtherOptimizersTests
{
    private const int Steps = 100;

    /// <summary>Tall, wide and square matrices, two of one shape apart from each other, a stack of matrices, vectors, a
    /// number; most with gaps after them.</summary>
    private static readonly ArtifactParameter[] Parameters =
        Layout.Of([3, 5], [7], [6, 2], [3, 5], [4, 4], [2, 4, 3], [7], [16], [], [20, 17]);

    private static readonly int Length = (int)FlatLayout.LengthOf(Parameters);

    public static TheoryData<string> Cases => [.. Configs.Keys];

    private static Dictionary<string, OptimizerConfig> Configs { get; } = new()
    {
        ["lion"] = new LionConfig { MaxGradNorm = 0 },
        ["lion, decayed, clipped"] = new LionConfig { Beta1 = 0.8, Beta2 = 0.95, WeightDecay = 0.3, MaxGradNorm = 0.5 },
        ["sgd"] = new SgdConfig { Momentum = 0, MaxGradNorm = 0 },
        ["sgd, momentum"] = new SgdConfig { MaxGradNorm = 0 },
        ["sgd, nesterov, decayed, clipped"] = new SgdConfig { Nesterov = true, WeightDecay = 0.1, MaxGradNorm = 0.5 },
        ["adafactor"] = new AdafactorConfig { MaxGradNorm = 0 },
        ["adafactor, decayed, clipped"] = new AdafactorConfig { WeightDecay = 0.3, ClipThreshold = 0.7 },
        ["muon"] = new MuonConfig { MaxGradNorm = 0, WeightDecay = 0 },
        ["muon, original rate, no nesterov"] = new MuonConfig { OriginalRate = true, Nesterov = false, Momentum = 0.8 },
        ["schedule-free"] = new ScheduleFreeAdamWConfig { MaxGradNorm = 0 },
        ["schedule-free, decayed, clipped"] = new ScheduleFreeAdamWConfig { Beta1 = 0.95, WeightDecay = 0.3 },
        ["8 bits"] = new AdamW8bitConfig { MaxGradNorm = 0 },
        ["8 bits, decayed, clipped"] = new AdamW8bitConfig { WeightDecay = 0.3, Beta1 = 0.8 },
    };

    /// <summary>Weights of about 1 are rounded 100 times, by 2⁻²⁵ at most each; the state adds as much. Five products of
    /// matrices multiply a rounding of the momentum by up to 3.4⁵, and step on step adds it.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Build_WhenRunForManySteps_FollowsFloat64(string name)
    {
        var config = Configs[name];
        var random = new SplitMix64(1, name);
        var start = Normal(random, 1);
        var graph = OptimizerGraph.Build(Parameters, config);
        using var session = ModelSession.Open(graph.Model, new RuntimeOptions { Threads = 1 });
        ArtifactValue[] states = [graph.Contract.Input(ValueRoles.Parameters)!, .. graph.Contract.States];
        var feeds = states.ToDictionary(static i => i.Role, i => AtFirst(i, start));
        var reference = Reference.Of(config, Parameters, [.. start.Select(static x => (double)x)]);

        for (var step = 1; step <= Steps; step++)
        {
            var gradient = Normal(random, 0.3);
            var rate = (float)(0.01 * (step < 10 ? step / 10.0 : 1));
            reference.See(feeds);
            reference.Step([.. gradient.Select(static x => (double)x)], rate);
            feeds[ValueRoles.Gradients] = Tensor.Of<float>(gradient, [Length]);
            feeds[ValueRoles.LearningRate] = Tensor.Scalar(rate);
            if (graph.Contract.Input(ValueRoles.Step) is not null)
                feeds[ValueRoles.Step] = Tensor.Scalar((long)step);
            var outputs = OnnxRun.Of(session, feeds);
            foreach (var state in states)
                feeds[state.Role] = outputs[ValueRoles.Updated(state.Role)];
        }

        var found = feeds[ValueRoles.Parameters].ToFloat32();
        Near.Within([.. reference.Weights.Select(static x => (float)x)], found, config is MuonConfig ? 2e-4 : 2e-5, name);
        if (feeds.TryGetValue(ValueRoles.Averages, out var averages))
            Near.Within([.. reference.Averages!.Select(static x => (float)x)], averages.ToFloat32(), 2e-5, "averages");
        Assert.All(Parameters, p => Assert.True(Places(p).Average(i => Math.Abs(start[i] - found[i])) > 1e-3));
        Assert.All(Enumerable.Range(0, Length).Except(Parameters.SelectMany(Places)), i => Assert.Equal(0, found[i]));
    }

    /// <summary>Exempt parameters go as without decay, the others as with it.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Build_WithParametersExemptFromDecay_DecaysTheOthers(string name)
    {
        var config = Configs[name] with { WeightDecay = 0.3 };
        var (start, gradient) = (Normal(new SplitMix64(3, name), 1), Normal(new SplitMix64(4, name), 0.3));
        ArtifactParameter[] mixed = [.. Parameters.Index().Select(
            static p => p.Item with { IsExemptFromDecay = p.Index % 3 == 1 || p.Index == 2 })];

        var found = Stepped(mixed, config);

        var (all, none) = (Stepped(Parameters, config), Stepped(Parameters, config with { WeightDecay = 0 }));
        Assert.All(mixed, p => Near.Within(
            [.. Places(p).Select(i => p.IsExemptFromDecay ? none[i] : all[i])], [.. Places(p).Select(i => found[i])], 1e-6, p.Name));
        Assert.All(mixed, p => Assert.Contains(Places(p), i => Math.Abs(all[i] - none[i]) > 1e-5));

        float[] Stepped(ArtifactParameter[] parameters, OptimizerConfig optimizer)
        {
            var graph = OptimizerGraph.Build(parameters, optimizer);
            using var session = ModelSession.Open(graph.Model, new RuntimeOptions { Threads = 1 });
            ArtifactValue[] states = [graph.Contract.Input(ValueRoles.Parameters)!, .. graph.Contract.States];
            var feeds = states.ToDictionary(static i => i.Role, i => AtFirst(i, start));
            feeds[ValueRoles.Gradients] = Tensor.Of<float>(gradient, [Length]);
            feeds[ValueRoles.LearningRate] = Tensor.Scalar(0.01f);
            if (graph.Contract.Input(ValueRoles.Step) is not null)
                feeds[ValueRoles.Step] = Tensor.Scalar(1L);
            return OnnxRun.Of(session, feeds)[ValueRoles.Updated(ValueRoles.Parameters)].ToFloat32();
        }
    }

    [Fact]
    public void State_OfEightBitsAndOfAdafactor_IsSmall()
    {
        var parameters = Layout.Of([1024, 256]);

        Assert.Equal(8 << 18, Bytes(new AdamWConfig()));
        Assert.Equal((2 << 18) + (2 * 4 << 10), Bytes(new AdamW8bitConfig()));
        Assert.Equal(4 * (1024 + 256), Bytes(new AdafactorConfig()));
        Assert.Equal(4 << 18, Bytes(new MuonConfig()));

        long Bytes(OptimizerConfig config) => OptimizerGraph.StateBytes(parameters, config);
    }

    /// <summary>Every update would be clipped to nothing.</summary>
    [Fact]
    public void Run_WithAThresholdOfNothing_IsRefused()
    {
        var arguments = Tiny.Arguments with { Optimizer = new AdafactorConfig { ClipThreshold = 0 } };

        var error = Assert.Throws<SettingException>(() => Tiny.Run(Tiny.Lora(), arguments));

        Assert.Contains("ClipThreshold is 0; it must be above 0", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_StoppedAndResumed_EndsWithTheSameBits(string name)
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with
        {
            Optimizer = Configs[name],
            Schedule = "constant",
            MaxSteps = 4,
            OutputFolder = folder["run"],
        };
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

    private static Tensor AtFirst(ArtifactValue state, float[] start)
    {
        if (state.Role == ValueRoles.Parameters || ValueRoles.IsParametersAtFirst(state.Role))
            return Tensor.Of<float>(start, [Length]);
        long[] dims = [.. state.Dims!.Select(static d => d.Length!.Value)];
        var count = (int)dims.Aggregate(1L, static (n, d) => n * d);
        return state.Dtype == ElementType.UInt8
            ? Tensor.Of<byte>(new byte[count], dims)
            : Tensor.Of<float>(new float[count], dims);
    }

    private static IEnumerable<int> Places(ArtifactParameter p) => Enumerable.Range((int)p.Offset!.Value, (int)p.Count);

    private static float[] Normal(SplitMix64 random, double scale)
    {
        var numbers = new float[Length];
        foreach (var i in Parameters.SelectMany(Places))
            numbers[i] = random.NextNormal(scale);
        return numbers;
    }
}

using OrtPeft.Artifacts;
using OrtPeft.OnDevice.Tests.Engine;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.OnDevice.Tests;

/// <summary>The optimizer model against the trainer's own, which follows PyTorch's.</summary>
[Collection(EngineCollection.Name)]
public sealed class OptimizerTests(EngineRun run)
{
    private const int Steps = 8;

    /// <summary>Constants, and the rate; null leaves the engine's own of 0.001.</summary>
    private static readonly Dictionary<string, (AdamWConfig Config, double? Rate)> Cases = new()
    {
        ["plain"] = (new AdamWConfig { MaxGradNorm = 0 }, 1e-2),
        ["clipped"] = (new AdamWConfig { MaxGradNorm = 0.05 }, 1e-2),
        ["other constants"] = (
            new AdamWConfig { Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-3, WeightDecay = 0.5, MaxGradNorm = 0.2 }, 2e-2),
        ["rate as given"] = (new AdamWConfig { WeightDecay = 0.1 }, null),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    internal static IEnumerable<EngineJob> Jobs => Cases.Select(static c => new EngineJob(
        NameOf(c.Key), static () => Tiny.Lora(), [.. EngineStep.TrainSteps(Steps), EngineStep.Read()])
    {
        Options = new() { Optimizer = c.Value.Config, FoldedLearningRate = c.Value.Rate },
    });

    /// <summary>float32 on both sides, by two runtimes: 1e-4 is what the golden losses allow.</summary>
    [EngineTheory]
    [MemberData(nameof(Names))]
    public void RunOptimizerStep_FollowsTheTrainer(string name)
    {
        var (config, rate) = Cases[name];
        var model = Tiny.Lora();
        var steps = Tiny.Run(model, Tiny.Arguments with
        {
            MaxSteps = Steps,
            Schedule = "constant",
            LearningRate = rate ?? 1e-3,
            Optimizer = config,
        });

        var result = run[NameOf(name)];

        float[] expected = [.. steps.Select(static s => (float)s.Loss)];
        Testing.Near.Within(expected, [.. result.Losses.Select(static l => (float)l)], 1e-4, "losses");
        Testing.Near.Within(Tiny.Numbers(model), result.Parameters[0], 1e-4, "parameters");
    }

    [EngineFact]
    public void RunOptimizerStep_WhenClipped_GoesAnotherWay()
    {
        var (plain, clipped) = (run[NameOf("plain")].Parameters[0], run[NameOf("clipped")].Parameters[0]);

        Assert.True(plain.Zip(clipped, static (a, b) => Math.Abs(a - b)).Max() > 1e-3);
    }

    private static string NameOf(string name) => $"optimizer/{name}";
}

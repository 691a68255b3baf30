using OrtPeft.Adapters;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.OnDevice.Tests.Engine;
using OrtPeft.Tensors;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.OnDevice.Tests;

/// <summary>What an application does between steps: parameters out and in, gradients added up, odd batches.</summary>
[Collection(EngineCollection.Name)]
public sealed class StepTests(EngineRun run)
{
    private const string Parameters = "steps/parameters";
    private const string Accumulated = "steps/accumulated";
    private const string AtOnce = "steps/at once";
    private const string InParts = "steps/one, two, one, three, one parts";
    private const string Whole = "steps/of one part";
    private const string Unlabelled = "steps/unlabelled";

    /// <summary>The engine adds gradients up, so a step's grows with its parts; clipped, all are of one length.</summary>
    private static readonly ArtifactSettings AlwaysClipped = EngineJob.LikePyTorch with
    {
        Optimizer = new AdamWConfig { MaxGradNorm = 1e-3 },
    };

    /// <summary>What trains behind the last attention is computed on no rows at all there.</summary>
    private static Dictionary<string, Func<PeftModel>> AlsoWithoutLabels { get; } = new()
    {
        ["lora"] = static () => Tiny.Lora(),
        ["full"] = static () => PeftModel.Create(Tiny.Base, new FullConfig()),
        ["bottleneck"] = static () => PeftModel.Create(Tiny.Base, new BottleneckConfig { ReductionFactor = 4 }),
        ["dora"] = static () => PeftModel.Create(
            Tiny.Base, new LoraConfig { UseDora = true, TargetModules = "all-linear", InitLoraWeights = false }),
        ["llama"] = static () => OtherBaseTests.Adapted("llama"),
        ["4 bits"] = static () => OtherBaseTests.Adapted("4 bits"),
    };

    internal static IEnumerable<EngineJob> Jobs =>
    [
        new(Parameters, static () => Tiny.Lora(), [
            EngineStep.Read(),
            EngineStep.Evaluate(0),
            .. EngineStep.TrainSteps(3),
            EngineStep.WriteBack(),
            EngineStep.Evaluate(0),
        ]),
        new(Accumulated, static () => Tiny.Lora(), [
            .. Enumerable.Range(0, 3).SelectMany(static _ => new[] { EngineStep.Train(0, 1), EngineStep.Train(2, 3) }),
            EngineStep.Read(),
        ])
        {
            Batches = [Full(3, 0), Full(3, 1), Full(3, 2), Full(3, 3)],
        },
        new(AtOnce, static () => Tiny.Lora(), [.. EngineStep.TrainSteps(6, batches: 2), EngineStep.Read()])
        {
            Batches = [Joined(Full(3, 0), Full(3, 1)), Joined(Full(3, 2), Full(3, 3))],
        },
        new(InParts, static () => Tiny.Lora(), [
            .. new int[][] { [0], [1, 2], [3], [4, 5, 6], [7] }.Select(static parts => EngineStep.Train(parts)),
            EngineStep.Read(),
        ])
        {
            Batches = [.. Enumerable.Range(0, 8).Select(static i => Full(2, i))],
            Options = AlwaysClipped,
        },
        new(Whole, static () => Tiny.Lora(), [.. EngineStep.TrainSteps(5, batches: 5), EngineStep.Read()])
        {
            Batches =
            [
                Full(2, 0),
                Joined(Full(2, 1), Full(2, 2)),
                Full(2, 3),
                Joined(Full(2, 4), Full(2, 5), Full(2, 6)),
                Full(2, 7),
            ],
            Options = AlwaysClipped,
        },
        .. AlsoWithoutLabels.Select(static adapted => new EngineJob(
            $"{Unlabelled}/{adapted.Key}",
            adapted.Value,
            [EngineStep.Read(), EngineStep.Train(0), EngineStep.Evaluate(0), EngineStep.Read()])
        {
            Batches = [WithoutLabels(Full(3, 0))],
            Options = EngineJob.LikePyTorch with
            {
                Optimizer = new AdamWConfig { MaxGradNorm = 1, WeightDecay = 0 },
            },
        }),
    ];

    [EngineFact]
    public void GetContiguousParameters_AtFirst_GivesTheAdapter()
    {
        var read = run[Parameters].Parameters[0];

        Assert.Equal(Tiny.Lora().Parameters.SelectMany(static p => p.Value.Initializer!.ToFloat32()), read);
    }

    [EngineFact]
    public void LoadParametersBuffer_OfWhatWasRead_GivesTheLossOfThen()
    {
        var losses = run[Parameters].Losses;

        Assert.Equal(losses[0], losses[^1]);
        Assert.NotEqual(losses[0], losses[^2]);
    }

    /// <summary>
    /// Two micro-batches of as many tokens give twice the gradient of one batch of both, which Adam does not see. The
    /// tolerance is float32's for sums in another order.
    /// </summary>
    [EngineFact]
    public void RunTrainStep_TwiceBeforeTheOptimizer_IsOneBatchOfBoth()
    {
        var (halves, whole) = (run[Accumulated], run[AtOnce]);

        var means = halves.Losses.Chunk(2).Select(static pair => (float)pair.Average()).ToArray();
        Testing.Near.Within([.. whole.Losses.Select(static l => (float)l)], means, 1e-5, "losses");
        Testing.Near.Within(whole.Parameters[0], halves.Parameters[0], 1e-4, "parameters");
    }

    /// <summary>No step sees another one's gradient. The tolerance is float32's for sums in another order.</summary>
    [EngineFact]
    public void RunTrainStep_AnyNumberOfTimesToAStep_IsTheRunOfWholeSteps()
    {
        var (parts, whole) = (run[InParts], run[Whole]);

        var left = new Queue<double>(parts.Losses);
        var means = new[] { 1, 2, 1, 3, 1 }
            .Select(count => (float)Enumerable.Range(0, count).Average(_ => left.Dequeue())).ToArray();
        Testing.Near.Within([.. whole.Losses.Select(static l => (float)l)], means, 1e-5, "losses");
        Testing.Near.Within(whole.Parameters[0], parts.Parameters[0], 1e-4, "parameters");
    }

    public static TheoryData<string> NamesWithoutLabels => [.. AlsoWithoutLabels.Keys];

    [EngineTheory]
    [MemberData(nameof(NamesWithoutLabels))]
    public void RunTrainStep_WithoutALabel_GivesZeroAndMovesNothing(string name)
    {
        var result = run[$"{Unlabelled}/{name}"];

        Assert.Equal([0, 0], result.Losses);
        Assert.Equal(result.Parameters[0], result.Parameters[1]);
    }

    /// <summary>A batch of which every token is supervised.</summary>
    private static Dictionary<string, Tensor> Full(int rows, int number)
    {
        var ids = Enumerable.Range(0, rows * 11).Select(i => ((i * 37L) + (number * 53)) % 101).ToArray();
        return new()
        {
            ["input_ids"] = Tensor.Of<long>(ids, [rows, 11]),
            ["attention_mask"] = Tensor.Of<long>([.. ids.Select(static _ => 1L)], [rows, 11]),
            ["labels"] = Tensor.Of<long>(ids, [rows, 11]),
        };
    }

    private static Dictionary<string, Tensor> Joined(params Dictionary<string, Tensor>[] parts) =>
        parts[0].Keys.ToDictionary(static key => key, key => Tensor.Of<long>(
            [.. parts.SelectMany(part => part[key].ToInt64())],
            [parts.Sum(part => part[key].Dims[0]), parts[0][key].Dims[1]]));

    private static Dictionary<string, Tensor> WithoutLabels(Dictionary<string, Tensor> batch) => new(batch)
    {
        ["labels"] = Tensor.Of<long>(
            [.. Enumerable.Repeat(-100L, (int)batch["labels"].Count)], batch["labels"].Dims.AsSpan()),
    };
}

using OrtPeft.Compilation.Artifacts;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Portable;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Testing;
using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Steps of unlike numbers of parts in one run: no step sees what another one computed.</summary>
public sealed class PartsTests : IDisposable
{
    private static readonly int[] Counts = [1, 2, 1, 3, 1];

    /// <summary>Three rows to a step, of lengths that make as many parts of at most 16 tokens.</summary>
    private static readonly TokenDataset Cut = Rows(5, 5, 5, 10, 5, 5, 6, 4, 5, 10, 10, 10, 5, 6, 3);

    /// <summary>Three batches of one row to a step; those without a label do not run.</summary>
    private static readonly TokenDataset AddedUp = Rows(9, -4, -7, 8, 6, -5, -6, -5, 7, 5, 9, 11, -4, 7, -9);

    private static readonly Dictionary<string, (TokenDataset Data, TrainingArguments Parts)> Forms = new()
    {
        ["cut"] = (Cut, Whole with { MicroBatchTokens = 16 }),
        ["added up"] = (AddedUp, Whole with { BatchSize = 1, GradientAccumulation = 3 }),
    };

    private readonly TemporaryFolder _place = new();

    public static TheoryData<string, bool> Runs =>
        new() { { "cut", false }, { "cut", true }, { "added up", false }, { "added up", true } };

    private static TrainingArguments Whole => Tiny.Arguments with { MaxSteps = Counts.Length, MicroBatchTokens = 0 };

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Rows_MakeOneTwoOneThreeOneParts()
    {
        var cut = Enumerable.Range(0, Counts.Length).Select(static step => MicroBatches.Split(
            [3 * step, (3 * step) + 1, (3 * step) + 2], Cut.LengthOf, Cut.SupervisedTokensOf, 16).Count);
        var addedUp = Enumerable.Range(0, Counts.Length).Select(
            static step => Enumerable.Range(3 * step, 3).Count(static row => AddedUp.SupervisedTokensOf(row) > 0));

        Assert.Equal(Counts, cut);
        Assert.Equal(Counts, addedUp);
    }

    /// <summary>The tolerance is float32's for sums in another order; a step's own gradient is 1e-2 away.</summary>
    [Theory]
    [MemberData(nameof(Runs))]
    public void Train_WithAnyNumberOfPartsToAStep_IsTheRunOfWholeSteps(string form, bool fromFolder)
    {
        var (data, parts) = Forms[form];

        var (expected, expectedWeights) = Run(Whole, data, fromFolder);
        var (actual, weights) = Run(parts, data, fromFolder);

        Assert.Equal(Counts.Length, expected.Count);
        foreach (var (wanted, found) in expected.Zip(actual))
        {
            Assert.Equal(wanted.Loss, found.Loss, 1e-5);
            Assert.Equal(wanted.GradNorm, found.GradNorm, 1e-5);
        }

        Near.Within(expectedWeights, weights, 1e-5, "weights");
        Assert.Equal(Counts.Length, expected.Select(static s => s.GradNorm).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Train_ResumedAfterAnyStep_EndsWithTheSameBits(string form, bool fromFolder)
    {
        var (data, parts) = Forms[form];
        var (whole, expected) = Run(parts, data, fromFolder);

        for (var stop = 1; stop < Counts.Length; stop++)
        {
            var arguments = parts with { OutputFolder = _place[$"{stop}"] };
            var (before, _) = Run(arguments, data, fromFolder, stop);
            var (after, weights) = Run(arguments with { Resume = true }, data, fromFolder);

            Assert.Equal(stop, before.Count);
            Assert.Equal(whole.Select(Measured), before.Concat(after).Select(Measured));
            Assert.Equal(expected, weights);
        }
    }

    private static (double Loss, double GradNorm) Measured(StepMetrics step) => (step.Loss, step.GradNorm);

    /// <summary>Rows of so many tokens, all with a label; none of them has one where the length is negative.</summary>
    private static TokenDataset Rows(params int[] lengths) => new([.. lengths.Select(static (length, row) =>
    {
        int[] ids = [.. Enumerable.Range(0, Math.Abs(length)).Select(i => ((row * 31) + (i * i * 7)) % 101)];
        return new Example([.. ids], [.. ids.Select(id => length < 0 ? DecoderLabels.Ignored : id)]);
    })]);

    private (List<StepMetrics> Steps, float[] Weights) Run(
        TrainingArguments arguments, TokenDataset data, bool fromFolder, int? stopAfter = null)
    {
        var steps = new List<StepMetrics>();
        var model = Tiny.Lora();
        if (fromFolder)
            PortableArtifacts.Write(model, new CausalLm(), new ArtifactSettings(), _place["artifacts"]);
        using var stop = new CancellationTokenSource();
        using var trainer = fromFolder
            ? Trainer.FromArtifacts(_place["artifacts"], arguments, data)
            : new Trainer(model, arguments, data);
        trainer.Train(
            new Tiny.Observer(progress =>
            {
                steps.Add(progress.Metrics);
                if (progress.Step == stopAfter)
                    stop.Cancel();
            }),
            stop.Token);
        trainer.SaveAdapter(_place["adapter"]);
        var saved = Adapters.PeftModel.Load(Tiny.Base, _place["adapter"]);
        return (steps, Tiny.Numbers(saved));
    }
}

using OrtPeft.Onnx.Decoders;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

public sealed class AccumulationTests
{
    [Fact]
    public void Train_WhenBatchesAddUp_GivesTheLargeBatchsRun()
    {
        var tokens = Tiny.Rows.Chunk(2).Select(static c => c.Sum(static r => r.SupervisedTokens));
        Assert.True(tokens.Distinct().Count() > 2);

        MustAgree(Tiny.Data, (BatchSize: 4, Accumulation: 1), (BatchSize: 2, Accumulation: 2));
        MustAgree(Tiny.Data, (BatchSize: 6, Accumulation: 1), (BatchSize: 1, Accumulation: 6));
    }

    /// <summary>Rows of 7 to 12 tokens: parts of one and of two rows, and rows beyond the limit.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public void Train_WhenABatchRunsInParts_GivesTheWholeBatchsRun(int tokens)
    {
        var (one, other) = (Tiny.Lora(), Tiny.Lora());
        var whole = Tiny.Arguments with { BatchSize = 4, MicroBatchTokens = 0 };

        var expected = Tiny.Run(one, whole);
        var actual = Tiny.Run(other, whole with { MicroBatchTokens = tokens });

        foreach (var (wanted, found) in expected.Zip(actual))
        {
            Assert.Equal(wanted.Loss, found.Loss, 1e-6);
            Assert.Equal(wanted.Tokens, found.Tokens);
        }

        Testing.Near.Within(Tiny.Numbers(one), Tiny.Numbers(other), 1e-6, "weights");
    }

    [Fact]
    public void Train_WhenAMicroBatchHasNoLabel_CountsTheOthersOnly()
    {
        var ids = Tiny.Rows[0].InputIds;
        var silent = new Example(ids, [.. Enumerable.Repeat(DecoderLabels.Ignored, ids.Length)]);
        var data = new TokenDataset([silent, Tiny.Rows[0], Tiny.Rows[1], silent]);

        MustAgree(data, (BatchSize: 2, Accumulation: 1), (BatchSize: 1, Accumulation: 2));
    }

    [Fact]
    public void Train_WhenAStepHasNoLabel_LeavesTheWeights()
    {
        var ids = Tiny.Rows[0].InputIds;
        var silent = new TokenDataset([new Example(ids, [.. Enumerable.Repeat(DecoderLabels.Ignored, ids.Length)])]);
        var model = Tiny.Lora();
        var before = Tiny.Numbers(model);

        var steps = Tiny.Run(model, Tiny.Arguments with { MaxSteps = 2 }, silent);

        Assert.Equal([0, 0], steps.Select(static s => s.Tokens));
        Assert.Equal(before, Tiny.Numbers(model));
    }

    private static void MustAgree(
        IDataset data, (int BatchSize, int Accumulation) whole, (int BatchSize, int Accumulation) parts)
    {
        var (one, other) = (Tiny.Lora(), Tiny.Lora());

        var expected = Tiny.Run(one, With(whole), data);
        var actual = Tiny.Run(other, With(parts), data);

        Assert.Equal(expected.Count, actual.Count);
        foreach (var (wanted, found) in expected.Zip(actual))
        {
            Assert.Equal(wanted.Loss, found.Loss, 1e-6);
            Assert.Equal(wanted.GradNorm, found.GradNorm, 1e-6);
        }

        Testing.Near.Within(Tiny.Numbers(one), Tiny.Numbers(other), 1e-6, "weights");
    }

    private static TrainingArguments With((int BatchSize, int Accumulation) form) => Tiny.Arguments with
    {
        MaxSteps = 4,
        LearningRate = 1e-3,
        BatchSize = form.BatchSize,
        GradientAccumulation = form.Accumulation,
    };
}

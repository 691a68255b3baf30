using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

public sealed class RepeatTests
{
    private static readonly TrainingArguments Shuffled = Tiny.Arguments with { Shuffle = true, MaxSteps = 5 };

    [Fact]
    public void Train_WhenSeedIsTheSame_GivesTheSameBits()
    {
        var (one, other) = (Tiny.Lora(dropout: 0.1), Tiny.Lora(dropout: 0.1));

        var first = Tiny.Run(one, Shuffled).Select(static s => s.Loss);
        var second = Tiny.Run(other, Shuffled).Select(static s => s.Loss);

        Assert.Equal(first, second);
        Assert.Equal(Tiny.Numbers(one), Tiny.Numbers(other));
    }

    [Fact]
    public void Train_WhenSeedDiffers_OrdersAndDropsDifferently()
    {
        double[] LossesOf(TrainingArguments arguments, double dropout) =>
            [.. Tiny.Run(Tiny.Lora(dropout), arguments).Select(static s => s.Loss)];

        Assert.NotEqual(LossesOf(Shuffled, 0), LossesOf(Shuffled with { Seed = 1 }, 0));
        Assert.NotEqual(LossesOf(Tiny.Arguments, 0.1), LossesOf(Tiny.Arguments with { Seed = 1 }, 0.1));
        Assert.Equal(LossesOf(Tiny.Arguments, 0), LossesOf(Tiny.Arguments with { Seed = 1 }, 0));
    }

    [Fact]
    public void Train_WhenNotShuffled_TakesRowsInOrderOverAndOver()
    {
        var data = new Recording(Tiny.Data);

        Tiny.Run(Tiny.Lora(), Tiny.Arguments with { BatchSize = 5, MaxSteps = 4 }, data);

        Assert.Equal(["0 1 2 3 4", "5 6 7 8 9", "10 11", "0 1 2 3 4"], data.Batches);
    }

    [Fact]
    public void Train_WhenShuffled_TakesEveryRowOnceAnEpoch()
    {
        var data = new Recording(Tiny.Data);

        Tiny.Run(Tiny.Lora(), Shuffled with { BatchSize = 4, MaxSteps = 6 }, data);

        var epochs = data.Batches.Chunk(3).Select(static e => string.Join(' ', e)).ToArray();
        Assert.Equal(2, epochs.Distinct().Count());
        var rows = Enumerable.Range(0, 12).Select(static r => $"{r}").Order();
        Assert.All(epochs, e => Assert.Equal(rows, e.Split(' ').Order()));
    }

    [Fact]
    public void Evaluate_WhenTheAdapterHasDropout_DropsNothing()
    {
        using var plain = new Trainer(Tiny.Lora(), Tiny.Arguments, Tiny.Data, Tiny.Data);
        using var dropping = new Trainer(Tiny.Lora(dropout: 0.9), Tiny.Arguments, Tiny.Data, Tiny.Data);

        Assert.Equal(plain.Evaluate()!.Loss, dropping.Evaluate()!.Loss, 1e-6);
    }

    [Fact]
    public void Train_WhenCalledAgain_RefusesToStartFromTrainedMoments()
    {
        using var trainer = new Trainer(Tiny.Lora(), Tiny.Arguments with { MaxSteps = 1 }, Tiny.Data);
        trainer.Train();

        Assert.Throws<InvalidOperationException>(() => trainer.Train());
    }

    /// <summary>Remembers which rows were asked for.</summary>
    private sealed class Recording(IDataset data) : IDataset
    {
        public List<string> Batches { get; } = [];

        public int RowCount => data.RowCount;

        public ulong Fingerprint => data.Fingerprint;

        public int LengthOf(int row) => data.LengthOf(row);

        public int SupervisedTokensOf(int row) => data.SupervisedTokensOf(row);

        public Batch Collate(IReadOnlyList<int> rows)
        {
            Batches.Add(string.Join(' ', rows));
            return data.Collate(rows);
        }
    }
}

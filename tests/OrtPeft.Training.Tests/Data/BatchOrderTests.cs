using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class BatchOrderTests
{
    [Fact]
    public void Rows_WhenNotShuffled_AreInOrderEveryEpoch()
    {
        var order = new BatchOrder(rowCount: 5, batchSize: 2, shuffleSeed: null);

        Assert.Equal(3, order.BatchesPerEpoch);
        Assert.Equal([0, 1, 2, 3, 4], Epoch(order, 0));
        Assert.Equal<int>([4], order.Rows(epoch: 7, batch: 2));
    }

    [Fact]
    public void Rows_WhenShuffled_AreAPermutationEachEpoch()
    {
        var shapes = from rows in Gen.Choose(1, 60)
                     from size in Gen.Choose(1, 70)
                     from seed in Gen.Choose(int.MinValue, int.MaxValue)
                     from epoch in Gen.Choose(0, 1000)
                     select (rows, size, seed, epoch);
        var isPermutation = Prop.ForAll(shapes.ToArbitrary(), shape =>
        {
            var order = new BatchOrder(shape.rows, shape.size, shape.seed);
            return Epoch(order, shape.epoch).Order().SequenceEqual(Enumerable.Range(0, shape.rows));
        });

        isPermutation.Check(Config.QuickThrowOnFailure.WithMaxTest(500));
    }

    [Fact]
    public void Rows_WhenAskedOutOfOrder_AreTheSame()
    {
        var forward = new BatchOrder(rowCount: 11, batchSize: 3, shuffleSeed: 5);
        var backward = new BatchOrder(rowCount: 11, batchSize: 3, shuffleSeed: 5);

        ImmutableArray<int>[] asked = [.. Enumerable.Range(0, 12).Select(i => forward.Rows(i / 4, i % 4))];
        ImmutableArray<int>[] jumped = [.. Enumerable.Range(0, 12).Reverse().Select(i => backward.Rows(i / 4, i % 4))];

        Assert.Equal(asked.SelectMany(rows => rows), jumped.Reverse().SelectMany(rows => rows));
    }

    [Fact]
    public void Rows_WhenSeedOrEpochDiffers_Differ()
    {
        var one = new BatchOrder(rowCount: 50, batchSize: 50, shuffleSeed: 0);
        var other = new BatchOrder(rowCount: 50, batchSize: 50, shuffleSeed: 1);

        Assert.NotEqual<int>(one.Rows(0, 0), other.Rows(0, 0));
        Assert.NotEqual<int>(one.Rows(0, 0), one.Rows(1, 0));
        Assert.NotEqual<int>(one.Rows(1, 0), other.Rows(0, 0));
    }

    // A changed order would silently change what a resumed run sees.
    [Fact]
    public void Rows_OnAKnownSeed_NeverChange()
    {
        var order = new BatchOrder(rowCount: 10, batchSize: 10, shuffleSeed: 0);

        Assert.Equal<int>([5, 6, 2, 9, 3, 8, 7, 4, 0, 1], order.Rows(0, 0));
        Assert.Equal<int>([2, 8, 7, 9, 4, 5, 0, 3, 1, 6], order.Rows(1, 0));
    }

    [Fact]
    public void Rows_WhenShuffled_PutEveryRowEverywhere()
    {
        const int rows = 5;
        const int epochs = 5000;
        var order = new BatchOrder(rows, batchSize: rows, shuffleSeed: 3);
        var seen = new int[rows, rows];

        for (var epoch = 0; epoch < epochs; epoch++)
        {
            for (var place = 0; place < rows; place++)
                seen[place, order.Rows(epoch, 0)[place]]++;
        }

        // Each cell expects 1000 with a standard deviation of 28.
        Assert.All(seen.Cast<int>(), count => Assert.InRange(count, 860, 1140));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void New_WhenEmpty_Throws(int rows, int size)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchOrder(rows, size, null));
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    [InlineData(0, 3)]
    public void Rows_WhenThereIsNoSuchBatch_Throws(int epoch, int batch)
    {
        var order = new BatchOrder(rowCount: 5, batchSize: 2, shuffleSeed: 0);

        Assert.Throws<ArgumentOutOfRangeException>(() => order.Rows(epoch, batch));
    }

    private static IEnumerable<int> Epoch(BatchOrder order, int epoch) =>
        Enumerable.Range(0, order.BatchesPerEpoch).SelectMany(batch => order.Rows(epoch, batch));
}

using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class MicroBatchesTests
{
    [Fact]
    public void Split_OfAnyRows_HasEachOnceAndNoPartTooLarge()
    {
        var lengths = Gen.Choose(1, 40).ListOf().Where(static l => l.Count > 0).ToArbitrary();
        var limits = Gen.Choose(1, 200).ToArbitrary();

        var holds = Prop.ForAll(lengths, limits, static (lengths, limit) =>
        {
            var parts = MicroBatches.Split(Rows(lengths.Count), row => lengths[row], limit);

            return parts.SelectMany(static p => p).Order().SequenceEqual(Enumerable.Range(0, lengths.Count))
                && parts.All(p => p.Length == 1 || p.Length * p.Max(row => lengths[row]) <= limit)
                && parts.Zip(parts.Skip(1)).All(p => p.First.Min(r => lengths[r]) >= p.Second.Max(r => lengths[r]));
        });

        holds.Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(20, 7));
    }

    [Fact]
    public void Split_OfRowsOfOneLength_KeepsTheirOrder()
    {
        var parts = MicroBatches.Split([7, 3, 5, 1, 9], static _ => 128, 256);

        Assert.Equal([[7, 3], [5, 1], [9]], parts.Select(static p => p.ToArray()));
    }

    [Fact]
    public void Split_WithoutALimit_LeavesTheBatch() =>
        Assert.Equal([2, 0, 1], Assert.Single(MicroBatches.Split([2, 0, 1], static row => row, 0)).ToArray());

    private static ImmutableArray<int> Rows(int count) => [.. Enumerable.Range(0, count)];
}

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
            int LabelsOf(int row) => lengths[row] * row % (lengths[row] + 1);
            bool Fits(ImmutableArray<int> part)
            {
                var all = part.Length * part.Max(row => lengths[row]);
                return all <= 2 * limit && all - part.Sum(row => lengths[row] - LabelsOf(row)) <= limit;
            }

            var parts = MicroBatches.Split(Rows(lengths.Count), row => lengths[row], LabelsOf, limit);

            return parts.SelectMany(static p => p).Order().SequenceEqual(Enumerable.Range(0, lengths.Count))
                && parts.All(p => p.Length == 1 || Fits(p))
                && parts.Zip(parts.Skip(1)).All(p => p.First.Min(r => lengths[r]) >= p.Second.Max(r => lengths[r]));
        });

        holds.Check(Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(20, 7));
    }

    [Fact]
    public void Split_OfRowsOfOneLength_KeepsTheirOrder()
    {
        var parts = MicroBatches.Split([7, 3, 5, 1, 9], static _ => 128, static _ => 127, 256);

        Assert.Equal([[7, 3], [5, 1], [9]], parts.Select(static p => p.ToArray()));
    }

    [Theory]
    [InlineData(64, new[] { 4, 1 })]
    [InlineData(20, new[] { 4, 1 })]
    [InlineData(100, new[] { 2, 2, 1 })]
    public void Split_OfRowsWithPrompts_HasMoreTokensInAPart(int labels, int[] expected)
    {
        var parts = MicroBatches.Split(Rows(5), static _ => 128, _ => labels, 256);

        Assert.Equal(expected, parts.Select(static p => p.Length));
    }

    /// <summary>Padding is not a reason to have more tokens in a part.</summary>
    [Fact]
    public void Split_OfALongAndAShortRow_KeepsThemApart()
    {
        int[] lengths = [200, 30];

        var parts = MicroBatches.Split([0, 1], row => lengths[row], row => lengths[row] - 1, 256);

        Assert.Equal([[0], [1]], parts.Select(static p => p.ToArray()));
    }

    [Fact]
    public void Split_WithoutALimit_LeavesTheBatch()
    {
        var parts = MicroBatches.Split([2, 0, 1], static row => row, static row => row, 0);

        Assert.Equal([2, 0, 1], Assert.Single(parts).ToArray());
    }

    private static ImmutableArray<int> Rows(int count) => [.. Enumerable.Range(0, count)];
}

using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class PacksTests
{
    private static readonly int[] Lengths =
    [
        9, 29, 29, 9, 21, 8, 19, 40, 11, 2, 31, 27, 1, 5, 19, 16, 2, 29, 33, 33, 9, 40, 21, 13, 29, 8, 11, 16, 17, 7, 2, 1,
        16, 3, 8, 23, 32, 33, 5,
    ];

    /// <summary>How full the packs of TRL's <c>bfd</c> are with the same rows, longer ones cut first.</summary>
    [Theory]
    [InlineData(
        32,
        new[] { 15, 28, 31, 31, 31, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32 })]
    [InlineData(64, new[] { 29, 62, 64, 64, 64, 64, 64, 64, 64, 64, 64 })]
    public void Fill_FillsPacksAsTrl(int capacity, int[] fills)
    {
        int[] lengths = [.. Lengths.Select(length => Math.Min(length, capacity))];

        var packs = Packs.Fill(lengths, capacity);

        Assert.Equal(fills, packs.Select(pack => pack.Sum(row => lengths[row])).Order());
        Assert.Equal(Enumerable.Range(0, lengths.Length), packs.SelectMany(static pack => pack).Order());
    }

    [Fact]
    public void Fill_OfALongerRow_MakesAPackOfItsOwn()
    {
        var packs = Packs.Fill([3, 9, 2], 5);

        Assert.Equal([[0, 2], [1]], packs.Select(static pack => pack.ToArray()));
    }
}

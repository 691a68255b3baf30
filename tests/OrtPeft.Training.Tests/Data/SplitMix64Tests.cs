using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class SplitMix64Tests
{
    // The sequence that the authors' C program prints for the seed 1234567.
    [Fact]
    public void Next_OnAKnownSeed_GivesThePublishedSequence()
    {
        var random = new SplitMix64(1234567);

        ulong[] drawn = [random.Next(), random.Next(), random.Next()];

        Assert.Equal([6457827717110365317, 3203168211198807973, 9817491932198370423], drawn);
    }

    [Fact]
    public void Below_StaysBelowAndReachesAll()
    {
        var random = SplitMix64.For(seed: 1, stream: 2);

        HashSet<int> drawn = [.. Enumerable.Range(0, 200).Select(_ => random.Below(7))];

        Assert.Equal([0, 1, 2, 3, 4, 5, 6], drawn.Order());
    }
}

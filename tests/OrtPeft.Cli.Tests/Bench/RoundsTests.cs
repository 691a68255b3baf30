using OrtPeft.Cli.Bench;

namespace OrtPeft.Cli.Tests.Bench;

public sealed class RoundsTests
{
    [Fact]
    public void Of_RunsVariantsInTurn_AndLeavesOutTheFirstRounds()
    {
        var runs = new List<char>();
        var options = new InferenceBenchmarkOptions { WarmupRounds = 1, Rounds = 2, VocabularySize = 1 };

        var measured = Rounds.Of(options, "ABC".ToCharArray(), variant =>
        {
            runs.Add(variant);
            return runs.Count;
        });

        Assert.Equal("ABCABCABC", string.Concat(runs));
        Assert.Equal([[4, 5, 6], [7, 8, 9]], measured);
    }

    /// <summary>The second round was slow for both, which the ratio does not see.</summary>
    [Fact]
    public void Compare_TakesTheRatioWithinEachRound()
    {
        double[][] rounds = [[1, 2], [100, 200], [2, 4]];

        var times = Rounds.Compare(rounds, TimeSpan.FromMilliseconds);

        Assert.Equal([new RunTimes(2, 1, 1), new RunTimes(4, 2, 2)], times);
    }

    [Fact]
    public void Compare_OfAnEvenNumber_TakesTheMeanOfTheMiddleTwo()
    {
        double[][] rounds = [[1, 1], [3, 9]];

        var times = Rounds.Compare(rounds, TimeSpan.FromMilliseconds);

        Assert.Equal([new RunTimes(2, 1, 1), new RunTimes(5, 1, 2)], times);
    }
}

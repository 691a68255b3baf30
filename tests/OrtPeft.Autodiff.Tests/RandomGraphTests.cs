using OrtPeft.Autodiff.Tests.Proof;

namespace OrtPeft.Autodiff.Tests;

public sealed class RandomGraphTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 200)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Differentiate_WhenGraphIsRandom_MatchesDifferences(int seed)
    {
        var row = RandomGraph.Case(seed);

        var gradients = GradientProof.ByDifferences(row);

        if (seed % 10 == 0)
            GradientProof.WhenOptimized(row, gradients);
    }
}

using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Autodiff.Tests;

/// <summary>Random pairs of shapes that broadcast, with the sums over axes found at run time.</summary>
public sealed class UnbroadcastTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void To_WhenShapesAreRandomAndUnknown_MatchesDifferences(int seed)
    {
        var random = new Random(seed);
        var row = Row(["Add", "Mul", "Div", "Where"], random);

        var expected = GradientProof.ByDifferences(row);
        var byRank = GradientProof.ByDifferences(row, ShapeKnowledge.Rank);
        var byNothing = GradientProof.ByDifferences(row, ShapeKnowledge.Nothing);

        Assert.Equal(expected, byRank);
        Assert.Equal(expected, byNothing);
    }

    private static GradientCase Row(string[] ops, Random random)
    {
        var op = ops[random.Next(ops.Length)];
        var result = Enumerable.Range(0, random.Next(5)).Select(_ => (long)random.Next(1, 4)).ToArray();
        var (a, b, c) = (Narrowed(result, random), Narrowed(result, random), Narrowed(result, random));
        var name = $"[{string.Join(",", a)}], [{string.Join(",", b)}], [{string.Join(",", c)}]";
        var count = (int)c.Aggregate(1L, static (product, d) => product * d);
        var condition = TestInput.Bool([.. Enumerable.Range(0, count).Select(_ => random.Next(2))], c);
        TestInput[] branches = [TestInput.Generic(a), TestInput.Generic(b)];
        return op == "Where"
            ? new GradientCase(op, name, static (g, x) => [g.Where(x[2], x[0], x[1])], [.. branches, condition])
            : new GradientCase(op, name, (g, x) => [g.Op(op, x[0], x[1])], branches);
    }

    /// <summary>Some axes become 1, and some in front go.</summary>
    private static long[] Narrowed(long[] dims, Random random) =>
        [.. dims.Select(d => random.Next(3) == 0 ? 1 : d).Skip(random.Next(3) == 0 ? random.Next(dims.Length + 1) : 0)];
}

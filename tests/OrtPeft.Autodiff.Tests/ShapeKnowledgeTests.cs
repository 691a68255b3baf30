using OrtPeft.Autodiff.Tests.Cases;
using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;

namespace OrtPeft.Autodiff.Tests;

/// <summary>The same rows with less known of the inputs' shapes.</summary>
public sealed class ShapeKnowledgeTests
{
    private static readonly string[] NeedRanks =
    [
        "Concat", "Conv", "Gather", "GatherElements", "GroupNormalization", "InstanceNormalization",
        "LayerNormalization", "MatMul", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp",
        "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "ReduceSumSquare", "Scan", "SimplifiedLayerNormalization",
        "Tile", "TopK",
    ];

    public static TheoryData<string> Names => GradientCases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Rule_WhenAxesHaveTheirOwnNames_MatchesDifferences(string name) =>
        Prove(name, ShapeKnowledge.OwnNames);

    [Theory]
    [MemberData(nameof(Names))]
    public void Rule_WhenAxesShareNames_MatchesDifferences(string name) => Prove(name, ShapeKnowledge.SharedNames);

    [Theory]
    [MemberData(nameof(Names))]
    public void Rule_WhenOnlyRanksAreKnown_MatchesDifferences(string name) => Prove(name, ShapeKnowledge.Rank);

    [Theory]
    [MemberData(nameof(Names))]
    public void Rule_WhenNoShapeIsKnown_MatchesDifferencesOrNamesTheValue(string name)
    {
        try
        {
            Prove(name, ShapeKnowledge.Nothing);
        }
        catch (UnsupportedOpException e)
        {
            Assert.Contains("the number of axes of '", e.Message, StringComparison.Ordinal);
            Assert.Contains(GradientCases.ByName[name].Op, NeedRanks);
        }
    }

    private static void Prove(string name, ShapeKnowledge knowledge) =>
        Assert.NotNull(GradientProof.ByDifferences(GradientCases.ByName[name], knowledge));
}

using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Tests;

/// <summary>Fused operators are found where they compute the same as the standard ones, and nowhere else.</summary>
public sealed class RaisingTests
{
    /// <summary>ONNX Runtime's GELU in float64 is good to 3e-9: its constants are not ours to the last bit, and losses
    /// add up dozens. A wrong operand or axis shows in the first digits.</summary>
    private const double Tolerance = 5e-8;

    public static TheoryData<string> Names => [.. RaisingCases.ByName.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Raise_FindsTheOperatorsThatFit(string name)
    {
        var (row, found) = RaisingCases.ByName[name];
        IReadOnlyList<string> raised = [];

        GradientModel.Build(row with
        {
            Raise = (g, differentiated) =>
            {
                FusedOps.Raise(g, differentiated);
                raised = [.. g.Graph.Nodes.Select(FusedOps.Of).OfType<FusedOp>().Select(static op => op.Name)];
            },
        }, ElementType.Float);

        Assert.Equal(found, raised);
    }

    /// <summary>The loss of the raised graph, lowered again, is that of the graph as it was, and its gradient is the
    /// loss's.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Raise_ThenLower_KeepsTheLossAndItsGradient(string name)
    {
        var (row, _) = RaisingCases.ByName[name];
        var raised = row with { Raise = FusedOps.Raise, Lower = static g => FusedOps.Lower(g) };

        var (expected, actual) = (Loss(row), Loss(raised));

        Assert.Equal(expected, actual, Tolerance * (1 + Math.Abs(expected)));
        GradientProof.ByDifferences(raised);
    }

    private static double Loss(GradientCase row)
    {
        using var session = new TestSession(GradientModel.Build(row, ElementType.Double));
        GradientProof.Feed(session, row, static v => v);
        return session.Run<double>("loss")[0];
    }
}

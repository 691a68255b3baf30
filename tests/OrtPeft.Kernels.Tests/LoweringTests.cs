using OrtPeft.Autodiff.Tests.Proof;

namespace OrtPeft.Kernels.Tests;

/// <summary>Fused operators in standard ones compute what they should, forwards and backwards.</summary>
public sealed class LoweringTests
{
    public static TheoryData<string> Names => [.. LoweringCases.ByName.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Gradient_OfTheLoweredGraph_IsTheCentralDifference(string name)
    {
        var row = LoweringCases.ByName[name];

        var gradients = GradientProof.ByDifferences(row);

        GradientProof.WhenOptimized(row, gradients);
        GradientProof.InFloat32(row, gradients);
    }

    [Fact]
    public void All_WithAGradient_HaveCases() => Assert.Equal(
        FusedOps.All.Where(static op => op.Gradient is not null).Select(static op => op.Name).Order(),
        LoweringCases.ByName.Values.Select(static c => c.Op).Distinct().Order());

    [Fact]
    public void All_ThatGraphsMayHave_CanBeLowered() => Assert.All(
        FusedOps.All.Where(static op => op.Raise is not null || op.Gradient is not null || op.Run is null),
        static op => Assert.NotNull(op.Lower));

    [Fact]
    public void Gradients_OfFusedOperators_StandBesideTheStandardOnes() => Assert.All(
        FusedOps.All.Where(static op => op.Gradient is not null),
        static op => Assert.True(FusedOps.Gradients.IsDifferentiable(new("ortpeft", op.Name, 1))));
}

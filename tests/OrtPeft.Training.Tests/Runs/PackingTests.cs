namespace OrtPeft.Training.Tests.Runs;

public sealed class PackingTests
{
    [Fact]
    public void Run_OfPacks_HasTheLossesAndGradientsOfTheirRows()
    {
        var length = Tiny.Rows.Sum(static row => row.Length); // one pack of all rows
        var (apart, packed) = (Tiny.Lora(), Tiny.Lora());

        var expected = Tiny.Run(apart, Tiny.Arguments with { BatchSize = Tiny.Rows.Count, MaxSteps = 3 });
        var found = Tiny.Run(packed, Tiny.Arguments with { BatchSize = 1, PackLength = length, MaxSteps = 3 });

        Assert.Equal(expected.Select(static m => m.Loss), found.Select(static m => m.Loss));
        Assert.Equal(expected.Select(static m => m.GradNorm), found.Select(static m => m.GradNorm));
        Assert.Equal(Tiny.Numbers(apart), Tiny.Numbers(packed));
    }
}

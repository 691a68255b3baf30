using FsCheck;
using FsCheck.Fluent;
using OrtPeft.Training.Schedules;

namespace OrtPeft.Training.Tests.Schedules;

public sealed class LearningRateScheduleTests
{
    [Theory]
    [InlineData("constant", 0, 4, new[] { 1.0, 1, 1, 1, 1 })]
    [InlineData("constant", 2, 4, new[] { 0, 0.5, 1, 1, 1 })]
    [InlineData("linear", 0, 4, new[] { 1, 0.75, 0.5, 0.25, 0 })]
    [InlineData("linear", 2, 6, new[] { 0, 0.5, 1, 0.75, 0.5, 0.25, 0 })]
    [InlineData("linear", 4, 4, new[] { 0, 0.25, 0.5, 0.75, 0 })]
    [InlineData("linear", 8, 4, new[] { 0, 0.125, 0.25, 0.375, 0.5 })]
    [InlineData("cosine", 0, 4, new[] { 1, 0.85355339059327376, 0.5, 0.14644660940672624, 0, 0, 0 })]
    [InlineData("cosine", 1, 3, new[] { 0, 1, 0.5, 0 })]
    [InlineData("cosine", 4, 4, new[] { 0, 0.25, 0.5, 0.75 })]
    public void Factor_FollowsTheFormula(string name, int warmup, int total, double[] expected)
    {
        var schedule = LearningRateSchedule.Create(name, warmup, total);

        for (var step = 0; step < expected.Length; step++)
            Assert.Equal(expected[step], schedule.Factor(step), tolerance: 1e-15);
    }

    [Fact]
    public void Factor_OnAnySpan_StaysBetweenZeroAndOne()
    {
        var spans = from name in Gen.Elements<string>([.. LearningRateSchedule.Names])
                    from warmup in Gen.OneOf(Gen.Choose(0, 50), Gen.Constant(int.MaxValue))
                    from total in Gen.OneOf(Gen.Choose(1, 50), Gen.Constant(int.MaxValue))
                    from step in Gen.OneOf(Gen.Choose(0, 120), Gen.Constant(int.MaxValue))
                    select (name, warmup, total, step);
        var bounded = Prop.ForAll(spans.ToArbitrary(), span =>
            LearningRateSchedule.Create(span.name, span.warmup, span.total).Factor(span.step) is >= 0 and <= 1);

        bounded.Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public void Names_AreSorted()
    {
        Assert.Equal<string>(["constant", "cosine", "linear"], LearningRateSchedule.Names);
    }

    [Fact]
    public void Create_WhenNameIsUnknown_ListsTheNames()
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => LearningRateSchedule.Create("Linear", 0, 1));

        Assert.StartsWith(
            "No schedule is called 'Linear'; expected one of constant, cosine, linear.",
            error.Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 0)]
    public void Create_WhenOutOfRange_Throws(int warmup, int total)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => LearningRateSchedule.Create("linear", warmup, total));
    }

    [Fact]
    public void Factor_WhenStepIsNegative_Throws()
    {
        var schedule = LearningRateSchedule.Create("constant", 0, 1);

        Assert.Throws<ArgumentOutOfRangeException>(() => schedule.Factor(-1));
    }
}

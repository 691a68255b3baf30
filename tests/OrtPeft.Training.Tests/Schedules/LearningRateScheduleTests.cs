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

    /// <summary>Values of transformers' own functions.</summary>
    [Theory]
    [InlineData("constant_with_warmup", "", 2, 3, new[] { 0, 0.5, 1, 1 })]
    [InlineData("cosine", "num_cycles=1.5", 0, 4, new[] { 1, 0.14644660940672627, 0.5, 0.8535533905932738, 0 })]
    [InlineData("cosine_with_restarts", "num_cycles=3", 1, 7, new[] { 0, 1, 0.5, 1, 0.5, 1, 0.5, 0 })]
    [InlineData("cosine_with_min_lr", "min_lr_rate=0.1", 1, 5, new[] { 0, 1, 0.8681980515339464, 0.55, 0.23180194846605365, 0.1 })]
    [InlineData("polynomial", "lr_end=1e-5,power=2", 1, 5, new[] { 0, 1, 0.584375, 0.2875, 0.109375, 0.05 })]
    [InlineData("polynomial", "", 0, 3, new[] { 1, 0.6668333333333334, 0.3336666666666667, 0.0005 })]
    [InlineData("inverse_sqrt", "", 0, 3, new[] { 1, 0.9999500037496877, 0.9999000149975006, 0.9998500337415648 })]
    [InlineData("inverse_sqrt", "", 2, 5, new[] { 0, 0.5, 1, 0.8164965809277261, 0.7071067811865475, 0.6324555320336759 })]
    [InlineData("inverse_sqrt", "timescale=4", 1, 4, new[] { 0, 1, 0.8944271909999159, 0.8164965809277261, 0.7559289460184544 })]
    [InlineData(
        "warmup_stable_decay",
        "num_decay_steps=4,min_lr_ratio=0.1",
        2,
        8,
        new[] { 0.1, 0.55, 1, 1, 1, 0.8681980515339464, 0.55, 0.23180194846605365, 0.1 })]
    [InlineData(
        "warmup_stable_decay",
        "num_decay_steps=4,min_lr_ratio=0.1,decay_type=linear",
        2,
        8,
        new[] { 0.1, 0.55, 1, 1, 1, 0.775, 0.55, 0.325, 0.1 })]
    [InlineData(
        "warmup_stable_decay",
        "num_decay_steps=4,min_lr_ratio=0.1,decay_type=1-sqrt",
        2,
        8,
        new[] { 0.1, 0.55, 1, 1, 1, 0.55, 0.36360389693210715, 0.22057713659400527, 0.1 })]
    public void Factor_WithSettings_IsTransformers(string name, string settings, int warmup, int total, double[] expected)
    {
        var schedule = LearningRateSchedule.Create(name, warmup, total, rate: 2e-4, Settings(settings));

        for (var step = 0; step < expected.Length; step++)
            Assert.Equal(expected[step], schedule.Factor(step), tolerance: 1e-15);
    }

    [Theory]
    [InlineData("cosine_with_min_lr", "", "The schedule cosine_with_min_lr needs min_lr_rate")]
    [InlineData("cosine_with_min_lr", "min_lr_rate=2", "min_lr_rate is '2'; it must be a number from 0 to 1")]
    [InlineData("warmup_stable_decay", "", "needs num_decay_steps")]
    [InlineData("warmup_stable_decay", "num_decay_steps=11", "num_decay_steps is 11, which with 2 steps of warm-up is more")]
    [InlineData("warmup_stable_decay", "num_decay_steps=2,decay_type=exp", "decay_type is 'exp'; it must be one of cosine")]
    [InlineData("cosine_with_restarts", "num_cycles=1.5", "num_cycles is '1.5'; it must be a whole number")]
    [InlineData("polynomial", "lr_end=0.1", "lr_end is 0.1 and the learning rate 0.01")]
    [InlineData("polynomial", "power=NaN", "power is 'NaN'; it must be a number")]
    [InlineData("linear", "power=2", "The schedule linear has no setting power; it has none.")]
    [InlineData("polynomial", "num_cycles=2", "The schedule polynomial has no setting num_cycles; it has lr_end, power.")]
    public void Create_WithASettingThatIsWrong_SaysSo(string name, string settings, string message)
    {
        var error = Assert.ThrowsAny<ArgumentException>(
            () => LearningRateSchedule.Create(name, 2, 10, rate: 0.01, Settings(settings)));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Factor_OnAnySpan_StaysBetweenZeroAndOne()
    {
        var spans = from name in Gen.Elements<string>([.. LearningRateSchedule.Names.Except(["warmup_stable_decay"])])
                    from warmup in Gen.OneOf(Gen.Choose(0, 50), Gen.Constant(int.MaxValue))
                    from total in Gen.OneOf(Gen.Choose(1, 50), Gen.Constant(int.MaxValue))
                    from step in Gen.OneOf(Gen.Choose(0, 120), Gen.Constant(int.MaxValue))
                    select (name, warmup, total, step);
        var bounded = Prop.ForAll(spans.ToArbitrary(), span =>
            LearningRateSchedule.Create(span.name, span.warmup, span.total, rate: 1, Needed(span.name))
                .Factor(span.step) is >= 0 and <= 1);

        bounded.Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public void Names_AreSorted()
    {
        Assert.Equal(LearningRateSchedule.Names.Order(StringComparer.Ordinal), LearningRateSchedule.Names);
    }

    [Fact]
    public void Create_WhenNameIsUnknown_ListsTheNames()
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => LearningRateSchedule.Create("Linear", 0, 1));

        Assert.StartsWith(
            $"No schedule is called 'Linear'; expected one of {string.Join(", ", LearningRateSchedule.Names)}.",
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

    private static Dictionary<string, string> Needed(string name) =>
        Settings(name == "cosine_with_min_lr" ? "min_lr_rate=0.1" : "");

    private static Dictionary<string, string> Settings(string text) => text
        .Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static setting => setting.Split('='))
        .ToDictionary(static pair => pair[0], static pair => pair[1], StringComparer.Ordinal);
}

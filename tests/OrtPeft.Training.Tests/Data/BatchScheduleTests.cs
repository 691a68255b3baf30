using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Data;

public sealed class BatchScheduleTests
{
    private static readonly BatchOrder FiveBatches = new(rowCount: 9, batchSize: 2, shuffleSeed: null);

    [Fact]
    public void MicroBatches_WhenAccumulating_EndAtTheEpoch()
    {
        var schedule = BatchSchedule.ForSteps(FiveBatches, gradientAccumulation: 2, steps: 4);

        string[] steps = [.. Enumerable.Range(0, 4).Select(step => Show(schedule, step))];

        Assert.Equal(3, schedule.StepsPerEpoch);
        Assert.Equal(["0,1|2,3", "4,5|6,7", "8", "0,1|2,3"], steps);
    }

    [Fact]
    public void MicroBatches_WhenNotAccumulating_TakeTheRowsOverAndOver()
    {
        var order = new BatchOrder(rowCount: 12, batchSize: 3, shuffleSeed: null);
        var schedule = BatchSchedule.ForSteps(order, gradientAccumulation: 1, steps: 20);

        string[] steps = [.. Enumerable.Range(0, 5).Select(step => Show(schedule, step))];

        Assert.Equal(["0,1,2", "3,4,5", "6,7,8", "9,10,11", "0,1,2"], steps);
    }

    [Fact]
    public void MicroBatches_WhenShuffled_ChangeWithTheEpoch()
    {
        var order = new BatchOrder(rowCount: 40, batchSize: 40, shuffleSeed: 1);
        var schedule = BatchSchedule.ForSteps(order, gradientAccumulation: 4, steps: 2);

        Assert.NotEqual(Show(schedule, 0), Show(schedule, 1));
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2.5, 8)]
    [InlineData(0.01, 1)]
    public void ForEpochs_RoundsUpToWholeSteps(double epochs, int steps)
    {
        var schedule = BatchSchedule.ForEpochs(FiveBatches, gradientAccumulation: 2, epochs);

        Assert.Equal(steps, schedule.TotalSteps);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(1e300)]
    public void ForEpochs_WhenOutOfRange_Throws(double epochs)
    {
        Assert.ThrowsAny<ArgumentException>(() => BatchSchedule.ForEpochs(FiveBatches, 1, epochs));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void ForSteps_WhenOutOfRange_Throws(int accumulation, int steps)
    {
        Assert.ThrowsAny<ArgumentException>(() => BatchSchedule.ForSteps(FiveBatches, accumulation, steps));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(4)]
    public void MicroBatches_WhenOutsideTheRun_Throws(int step)
    {
        var schedule = BatchSchedule.ForSteps(FiveBatches, 1, steps: 4);

        Assert.ThrowsAny<ArgumentException>(() => schedule.MicroBatches(step));
    }

    [Fact]
    public void MicroBatches_WhenAccumulatingMoreThanAnEpoch_TakeTheEpoch()
    {
        var schedule = BatchSchedule.ForSteps(FiveBatches, int.MaxValue, steps: 2);

        Assert.Equal("0,1|2,3|4,5|6,7|8", Show(schedule, 1));
    }

    [Fact]
    public void EpochsAfter_CountsBatches()
    {
        var schedule = BatchSchedule.ForSteps(FiveBatches, gradientAccumulation: 2, steps: 9);

        double[] epochs = [.. Enumerable.Range(0, 5).Select(schedule.EpochsAfter)];

        Assert.Equal([0, 0.4, 0.8, 1, 1.4], epochs);
    }

    private static string Show(BatchSchedule schedule, int step) =>
        string.Join('|', schedule.MicroBatches(step).Select(rows => string.Join(',', rows)));
}

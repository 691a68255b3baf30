namespace OrtPeft.Training.Tests.Runs;

public sealed class TrainingStreamTests
{
    [Fact]
    public async Task TrainAsync_ReportsEveryStep_AndTrainsAsTrainDoes()
    {
        var (model, expected) = (Tiny.Lora(), Tiny.Lora());
        Tiny.Run(expected, Tiny.Arguments);
        using var trainer = new Trainer(model, Tiny.Arguments, Tiny.Data);

        var steps = new List<int>();
        await foreach (var progress in trainer.TrainAsync())
            steps.Add(progress.Step);

        Assert.Equal([1, 2, 3, 4, 5, 6], steps);
        Assert.Equal(Tiny.Numbers(expected), Tiny.Numbers(model));
    }

    [Fact]
    public async Task TrainAsync_WhenCancelled_ThrowsAfterTheWeightsAreSet()
    {
        var model = Tiny.Lora();
        var first = Tiny.Numbers(model);
        using var stop = new CancellationTokenSource();
        using var trainer = new Trainer(model, Tiny.Arguments with { MaxSteps = 10_000 }, Tiny.Data);

        await Assert.ThrowsAsync<OperationCanceledException>(async () =>
        {
            await foreach (var progress in trainer.TrainAsync(stop.Token))
                await stop.CancelAsync();
        });

        Assert.NotEqual(first, Tiny.Numbers(model));
    }

    [Fact]
    public async Task TrainAsync_WhenTheReaderLeaves_StopsAndSetsTheWeights()
    {
        var model = Tiny.Lora();
        var first = Tiny.Numbers(model);
        using var trainer = new Trainer(model, Tiny.Arguments with { MaxSteps = 10_000 }, Tiny.Data);

        await foreach (var progress in trainer.TrainAsync())
            break;

        Assert.NotEqual(first, Tiny.Numbers(model));
    }

    [Fact]
    public async Task TrainAsync_WhenTheRunFails_ThrowsWhatItThrew()
    {
        using var trainer = new Trainer(Tiny.Lora(), Tiny.Arguments with { LearningRate = 1e30 }, Tiny.Data);

        await Assert.ThrowsAsync<TrainingFailedException>(async () =>
        {
            await foreach (var _ in trainer.TrainAsync())
            {
            }
        });
    }

    [Fact]
    public async Task TrainAsync_ASecondTime_Throws()
    {
        using var trainer = new Trainer(Tiny.Lora(), Tiny.Arguments, Tiny.Data);
        trainer.Train();

        await using var reports = trainer.TrainAsync().GetAsyncEnumerator();

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await reports.MoveNextAsync());
    }
}

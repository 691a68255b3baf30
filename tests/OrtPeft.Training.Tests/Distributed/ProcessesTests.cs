using OrtPeft.Artifacts;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Data;
using OrtPeft.Training.Distributed;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Runtime;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Distributed;

/// <summary>One run of several processes.</summary>
public sealed class ProcessesTests
{
    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 1)]
    [InlineData(3, 7)]
    [InlineData(3, (1 << 22) + 5)]
    public void Sum_AddsInTheOrderOfRanks(int size, int length)
    {
        var all = Enumerable.Range(0, size).Select(rank => Numbers(rank, length)).ToArray();

        var sums = ThreadGroup.Run(size, group =>
        {
            using var vector = new NativeVector(length);
            all[group.Rank].CopyTo(vector.Span(0, length));
            group.Sum(vector);
            return vector.Span(0, length).ToArray();
        });

        var expected = Numbers(0, length);
        foreach (var other in all.Skip(1))
        {
            for (var i = 0; i < length; i++)
                expected[i] += other[i];
        }

        Assert.All(sums, sum => Assert.Equal(expected, sum));
    }

    /// <summary>Sixteen of the batches' rows in other runs of the graph: float32 sums in another order, 6 steps of them.
    /// </summary>
    [Theory]
    [InlineData(2, 3, false)]
    [InlineData(3, 2, false)]
    [InlineData(2, 4, false)] // the last batch of an epoch has rows for the first process alone
    [InlineData(4, 4, false)] // the last process never has any
    [InlineData(2, 1, true)]
    public void Train_FollowsOneProcessWithTheWholeBatch(int size, int batch, bool isPacked)
    {
        var arguments = Tiny.Arguments with { PackLength = isPacked ? 24 : null };
        var whole = Tiny.Lora();
        var expected = Tiny.Run(whole, arguments with { BatchSize = size * batch });

        var runs = ThreadGroup.Run(size, group => Run(group, arguments with { BatchSize = batch }));
        var again = ThreadGroup.Run(size, group => Run(group, arguments with { BatchSize = batch }));

        Assert.All(runs, run => Assert.Equal(runs[0].Weights, run.Weights));
        Assert.Equal(runs[0].Weights, again[0].Weights);
        Near.Within(Tiny.Numbers(whole), runs[0].Weights, 1e-4, "weights");
        foreach (var (one, several) in expected.Zip(runs[0].Steps, (one, several) => (one, several)))
        {
            Assert.Equal(one.Loss, several.Loss, 1e-4);
            Assert.Equal(one.Tokens, several.Tokens);
            Assert.Null(one.CommunicationSeconds);
            Assert.InRange(several.CommunicationSeconds!.Value, 0, several.Seconds);
        }
    }

    [Fact]
    public void Evaluate_IsSharedOut_AndGivesTheSameBits()
    {
        var arguments = Tiny.Arguments with { BatchSize = 1 };
        using var alone = new Trainer(Tiny.Lora(), arguments, Tiny.Data, Tiny.Data);

        var losses = ThreadGroup.Run(3, group =>
        {
            using var trainer = new Trainer(Tiny.Lora(), arguments with { Processes = group }, Tiny.Data, Tiny.Data);
            return trainer.Evaluate()!.Loss;
        });

        Assert.All(losses, loss => Assert.Equal(alone.Evaluate()!.Loss, loss));
    }

    [Fact]
    public void Train_WithDropout_DrawsOtherMasksInEachProcess()
    {
        var arguments = Tiny.Arguments with { MaxSteps = 1, BatchSize = 3 };
        var twice = new TokenDataset([.. Tiny.Rows.Take(3), .. Tiny.Rows.Take(3)]);

        var both = ThreadGroup.Run(2, group =>
        {
            var model = Tiny.Lora(dropout: 0.5);
            Tiny.Run(model, arguments with { Processes = group }, twice);
            return Tiny.Numbers(model);
        });
        var first = Tiny.Lora(dropout: 0.5);
        Tiny.Run(first, arguments, twice);

        Assert.Equal(both[0], both[1]);
        Assert.NotEqual(Tiny.Numbers(first), both[0]); // with the same masks twice, the mean would be the first's
    }

    [Fact]
    public void Train_WhereOneHasAnotherRate_NamesItsRank()
    {
        var error = Assert.Throws<AggregateException>(() => ThreadGroup.Run(3, group => Run(
            group, Tiny.Arguments with { LearningRate = group.Rank == 2 ? 1 : 1e-2 })));

        Assert.Contains(
            "Rank 2 has another 'lr' than rank 0",
            Assert.IsType<DistributedException>(error.InnerException).Message,
            StringComparison.Ordinal);
    }

    /// <summary>Only the first needs a folder; that is no other run. Another base is one, with a folder or without.</summary>
    [Fact]
    public void Train_WhereTheFirstAloneHasAFolder_Runs_AndComparesBases()
    {
        using var folder = new TemporaryFolder();
        TrainingArguments Of(ProcessGroup group) => Tiny.Arguments with
        {
            Processes = group,
            OutputFolder = group.IsFirst ? folder["run"] : null,
        };

        var runs = ThreadGroup.Run(2, group => Tiny.Run(Tiny.Lora(), Of(group)).Count);
        var error = Assert.Throws<AggregateException>(() => ThreadGroup.Run(
            2, group => Tiny.Run(Tiny.Lora(group.IsFirst ? Tiny.Base : OfOtherWeights()), Of(group)).Count));

        Assert.Equal([6, 6], runs);
        Assert.Contains("Rank 1 has another 'base' than rank 0", error.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhereOneIsStopped_StopsAll_AndResumesToTheSameBits()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { Optimizer = new AdafactorConfig(), OutputFolder = folder["run"] };

        var whole = ThreadGroup.Run(2, group => Run(group, arguments with { OutputFolder = folder["whole"] }));
        var parts = ThreadGroup.Run(2, group =>
        {
            using var stop = new CancellationTokenSource();
            return Run(group, arguments, step => { if (group.Rank == 1 && step == 2) stop.Cancel(); }, stop.Token);
        });
        // The second process's folder is another machine's, where no checkpoint is.
        var resumed = ThreadGroup.Run(2, group => Run(
            group, arguments with { Resume = true, OutputFolder = folder[group.IsFirst ? "run" : "nowhere"] }));

        Assert.All(parts, part => Assert.Equal(2, part.Steps.Count));
        Assert.All(resumed, run => Assert.Equal(whole[0].Weights, run.Weights));
        Assert.False(Directory.Exists(folder["nowhere"]));
    }

    [Theory]
    [InlineData("0", 1)]
    [InlineData("0-3", 4)]
    [InlineData(" 0-1,5,7-9\n", 6)]
    public void CountOf_ReadsLists(string list, int count) => Assert.Equal(count, MpiLaunch.CountOf(list));

    [Theory]
    [InlineData("2", 2)]
    [InlineData("4(x2),3", 4)]
    [InlineData("1,3(x2)", 3)]
    [InlineData("", 1)]
    public void LargestOf_ReadsSlurmsTasksByNode(string list, int tasks) => Assert.Equal(tasks, MpiLaunch.LargestOf(list));

    private static (IReadOnlyList<StepMetrics> Steps, float[] Weights) Run(
        ProcessGroup group, TrainingArguments arguments, Action<int>? see = null, CancellationToken cancellation = default)
    {
        var (model, steps) = (Tiny.Lora(), new List<StepMetrics>());
        using var trainer = new Trainer(model, arguments with { Processes = group }, Tiny.Data);
        trainer.Train(
            new Tiny.Observer(p =>
            {
                steps.Add(p.Metrics);
                see?.Invoke(p.Step);
            }),
            cancellation);
        return (steps, Tiny.Numbers(model));
    }

    private static Onnx.Model OfOtherWeights()
    {
        var model = Tiny.Base.Clone();
        var weight = model.Graph.Initializers.First(static v => v.Type == ElementType.Float && v.Shape!.Rank == 1);
        var numbers = weight.Initializer!.ToFloat32().Select(static n => n + 1).ToArray();
        model.Graph.SetInitializer(weight, Tensor.Of<float>(numbers, weight.Initializer!.Dims.AsSpan()));
        return model;
    }

    /// <summary>Of sizes so different that the order of a sum shows.</summary>
    private static float[] Numbers(int rank, int length) =>
        [.. Enumerable.Range(0, length).Select(i => (float)((((i * 7919) + (rank * 104729)) % 1000) * Math.Pow(10, (i + rank) % 5)))];
}

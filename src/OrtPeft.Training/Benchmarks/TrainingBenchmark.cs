using System.Diagnostics;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Artifacts;
using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Benchmarks;

/// <summary>Times training steps, and compares them with what the machine's matrix products reach.</summary>
public static class TrainingBenchmark
{
    /// <summary>Trains on random tokens and measures.</summary>
    /// <param name="model">The adapted model; its weights have been trained on noise afterwards.</param>
    /// <param name="options">What to run.</param>
    /// <param name="progress">Told after every step.</param>
    /// <param name="cancellation">Stops after the step under way.</param>
    /// <returns>The figures.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static BenchmarkResult Run(
        PeftModel model,
        BenchmarkOptions options,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        Check(options);
        using var profiler = options.Profile ? new NodeProfiler() : null;
        var arguments = new TrainingArguments
        {
            BatchSize = options.BatchSize,
            MaxSteps = options.WarmupSteps + options.Steps,
            Shuffle = false,
            MicroBatchTokens = options.MicroBatchTokens,
            WithoutSpeedups = options.WithoutSpeedups,
            Runtime = options.Runtime with { ProfilePrefix = profiler?.Prefix },
        };
        var rows = RandomRows.Create(options);
        var steps = new StepTimes(progress);
        var clock = Stopwatch.StartNew();
        TimeSpan ready;
        using (var trainer = new Trainer(model, arguments, new TokenDataset(rows)))
        {
            ready = clock.Elapsed;
            trainer.Train(steps, cancellation);
            cancellation.ThrowIfCancellationRequested();
        }

        var median = Median(steps.Seconds.Skip(options.WarmupSteps));
        var graph = TrainingGraph.ForTraining(model, new CausalLm());
        var supervised = rows.Sum(static r => (long)r.SupervisedTokens);
        var products = MultiplyAdds.Count(graph, options.BatchSize, options.SequenceLength, supervised);
        return new BenchmarkResult
        {
            MedianStepMilliseconds = median * 1e3,
            LeastStepMilliseconds = steps.Seconds.Skip(options.WarmupSteps).Min() * 1e3,
            FirstStepSeconds = steps.Seconds[0],
            SessionSeconds = ready.TotalSeconds,
            TokensPerSecond = options.BatchSize * options.SequenceLength / median,
            LastLoss = steps.LastLoss,
            PeakResidentBytes = PeakResidentBytes(),
            ModelGflops = 2e-9 * products / median,
            GemmGflops = GemmSpeed.Measure(options.Runtime),
            Profile = profiler?.Read(steps.Seconds.Count),
        };
    }

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static void Check(BenchmarkOptions options)
    {
        ArgumentsCheck.AtLeast(options.BatchSize, 1, "batch size");
        ArgumentsCheck.AtLeast(options.SequenceLength, 2, "sequence length");
        ArgumentsCheck.AtLeast(options.Steps, 1, "number of timed steps");
        ArgumentsCheck.AtLeast(options.WarmupSteps, 1, "number of warm-up steps");
        ArgumentsCheck.AtLeast(options.VocabularySize, 1, "vocabulary size");
        if (options.Supervised is not (> 0 and <= 1))
            throw new ArgumentException($"The supervised part is {options.Supervised}; it must be above 0, up to 1.");
    }

    /// <summary>Taken before the machine's own speed is measured, which needs memory too.</summary>
    private static long PeakResidentBytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    private sealed class StepTimes(IProgress<TrainingProgress>? next) : IProgress<TrainingProgress>
    {
        public List<double> Seconds { get; } = [];

        public double LastLoss { get; private set; }

        public void Report(TrainingProgress value)
        {
            Seconds.Add(value.Step.Seconds);
            LastLoss = value.Step.Loss;
            next?.Report(value);
        }
    }
}

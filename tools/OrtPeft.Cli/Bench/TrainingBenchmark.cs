using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Adapters;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Tensors;
using OrtPeft.Training;
using OrtPeft.Training.Data;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Cli.Bench;

/// <summary>Times training steps, and compares them with what the machine's matrix products reach.</summary>
internal static class TrainingBenchmark
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
        SettingException.ThrowIfBelow(options.Steps, 1, nameof(options.Steps));
        SettingException.ThrowIfBelow(options.WarmupSteps, 1, nameof(options.WarmupSteps));
        var rows = RandomRows.Create(
            options.BatchSize, options.SequenceLength, options.Supervised, options.VocabularySize);
        using var profiler = options.Profile ? new NodeProfiler() : null;
        var arguments = new TrainingArguments
        {
            BatchSize = options.BatchSize,
            MaxSteps = options.WarmupSteps + options.Steps,
            Shuffle = false,
            MicroBatchTokens = options.MicroBatchTokens,
            MemoryLimit = options.MemoryLimit,
            WithoutSpeedups = options.WithoutSpeedups,
            Precision = options.Precision,
            Runtime = options.Runtime with { ProfilePrefix = profiler?.Prefix },
        };
        var steps = new StepTimes(progress);
        var clock = Stopwatch.StartNew();
        TimeSpan ready;
        using (var trainer = new Trainer(model, arguments, new TokenDataset(rows)))
        {
            ready = clock.Elapsed;
            trainer.Train(steps, cancellation);
            cancellation.ThrowIfCancellationRequested();
        }

        double[] timed = [.. steps.Seconds.Skip(options.WarmupSteps)];
        var median = Sample.Median(timed);
        var speedups = Speedups.Except(options.WithoutSpeedups).Intersect(Speedups.Portable);
        var graph = TrainingGraph.Build(model, new CausalLm(), new() { Speedups = [.. speedups] });
        var supervised = rows.Sum(static r => (long)r.SupervisedTokens);
        var products = MultiplyAdds.Count(graph.Model, options.BatchSize, options.SequenceLength, supervised);
        return new BenchmarkResult
        {
            MedianStepMilliseconds = median * 1e3,
            LeastStepMilliseconds = timed.Min() * 1e3,
            FirstStepSeconds = steps.Seconds[0],
            SessionSeconds = ready.TotalSeconds,
            TokensPerSecond = options.BatchSize * options.SequenceLength / median,
            LastLoss = steps.LastLoss,
            PeakResidentBytes = PeakResidentBytes(),
            ModelGflops = 2e-9 * products / median,
            ProductKernel = Chosen(model, options).Any(static s => s.PacksWeights)
                ? ProductKernel.Own
                : ProductKernel.OnnxRuntime,
            TrainableParameters = model.TrainableParameterCount,
            OnnxRuntimeVersion = OrtEnv.Instance().GetVersionString(),
            GemmGflops = GemmSpeed.Measure(options.Runtime, RunsInBf16(model, options)),
            Profile = profiler?.Read(steps.Seconds.Count, !options.Runtime.ReadsHostMemory),
            FoundNothing = profiler is null ? [] : FoundNothing(model, options),
        };
    }

    private static bool RunsInBf16(PeftModel model, BenchmarkOptions options)
    {
        var wanted = Speedups.Except(options.WithoutSpeedups);
        return options.Runtime.TakesKernels
            && ProductPrecision.Resolve(options.Precision, options.Runtime) == ProductPrecision.Bf16
            && SpeedupChoice.WhyNotInBf16(model.Model, options.Runtime, wanted, ProductPrecision.Bf16) is null;
    }

    private static IReadOnlyList<string> FoundNothing(PeftModel model, BenchmarkOptions options) =>
        TrainingGraph.Build(model, new CausalLm(), new() { Speedups = Chosen(model, options) }).IdleSpeedups;

    private static IReadOnlyList<Speedup> Chosen(PeftModel model, BenchmarkOptions options)
    {
        var wanted = Speedups.Except(options.WithoutSpeedups);
        return SpeedupChoice.For(model.Model, options.Runtime, wanted, options.Precision).Speedups;
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
            Seconds.Add(value.Metrics.Seconds);
            LastLoss = value.Loss;
            next?.Report(value);
        }
    }
}

using OrtPeft.Training.Data;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Reports;

/// <summary>A run as its folder keeps it.</summary>
public sealed record RunRecord
{
    private const long LargestConfiguration = 1 << 20;

    /// <summary>The run's name.</summary>
    public required string Name { get; init; }

    /// <summary>The run's measurements.</summary>
    public required RunHistory History { get; init; }

    /// <summary>The facts known before its first step; null if there are none.</summary>
    public RunFacts? Facts { get; init; }

    /// <summary>The file from which it repeats, as text; null where there is none.</summary>
    public string? Configuration { get; init; }

    /// <summary>The metric that says which evaluation is best; the loss where nothing says.</summary>
    public EvaluationMetric Metric => Facts?.Metric ?? EvaluationMetric.All[0];

    /// <summary>The best evaluation after a step, the first of equals; null where there was none.</summary>
    public EvaluationMetrics? Best
    {
        get
        {
            EvaluationMetrics? best = null;
            foreach (var evaluation in History.Evaluations.Where(static e => e.Step > 0))
            {
                if (Metric.IsBetter(Metric.Of(evaluation), best is null ? double.NaN : Metric.Of(best)))
                    best = evaluation;
            }

            return best;
        }
    }

    /// <summary>The evaluation before the first step; null where there was none.</summary>
    public EvaluationMetrics? Base => History.Evaluations.FirstOrDefault(static e => e.Step == 0);

    /// <summary>The loss of the last step, smoothed; NaN where there was none.</summary>
    public double FinalLoss
    {
        get
        {
            var mean = new RunningMean(RunningMean.WindowFor(History.Steps.Count));
            foreach (var step in History.Steps)
                mean.Add(step.Loss);
            return mean.Value;
        }
    }

    /// <summary>The name of a run in a folder: the folder's.</summary>
    internal static string NameOf(string folder) =>
        Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));

    /// <summary>Reads a run's folder, of one that still goes on too.</summary>
    /// <param name="folder">The folder with <c>metrics.jsonl</c>.</param>
    /// <param name="configuration">The name of the file there from which the run repeats.</param>
    /// <returns>The run, named as its folder.</returns>
    /// <exception cref="TrainingDataException">A file is not what a run writes.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static RunRecord Open(string folder, string configuration)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var (facts, settings) = (Path.Combine(folder, RunFacts.FileName), Path.Combine(folder, configuration));
        return new RunRecord
        {
            Name = NameOf(folder),
            History = RunHistory.Read(Path.Combine(folder, MetricsLog.FileName)),
            Facts = File.Exists(facts) ? RunFacts.Read(facts) : null,
            Configuration = new FileInfo(settings) is { Exists: true, Length: <= LargestConfiguration }
                ? File.ReadAllText(settings)
                : null,
        };
    }
}

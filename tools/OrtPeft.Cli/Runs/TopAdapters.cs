using System.Globalization;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;
using OrtPeft.Training;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Runs;

/// <summary>The adapters of the best evaluations of a run, each in a folder of its own beside the run's.</summary>
internal sealed class TopAdapters
{
    /// <summary>The option that says how many.</summary>
    public const string Option = "--keep-top";

    /// <summary>The folder in a run's folder that holds them.</summary>
    public const string Folder = "top";

    private const string Prefix = "step-";

    private readonly string _run;
    private readonly int _most;
    private readonly bool _isResumed;
    private List<(int Step, double Value)>? _kept;

    private TopAdapters(string run, int most, bool isResumed) => (_run, _most, _isResumed) = (run, most, isResumed);

    private string Home => Path.Combine(_run, Folder);

    /// <summary>Looks whether adapters may be kept; nothing is changed before the first step.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="most">How many; null for none.</param>
    /// <param name="isResumed">Whether those of the run's first part stay.</param>
    /// <param name="mayReplace">Whether an earlier run's may go.</param>
    /// <returns>The keeper; null where none are kept.</returns>
    /// <exception cref="UsageException">Something is in their place.</exception>
    public static TopAdapters? Open(string folder, int? most, bool isResumed, bool mayReplace)
    {
        if (most is not { } count)
            return null;
        if (count < 1)
            throw new UsageException($"{Option} is {Human.Plain(count)}; it must be 1 or more.");
        var keeper = new TopAdapters(folder, count, isResumed);
        if (File.Exists(keeper.Home))
            throw new UsageException($"{keeper.Home} is a file, where {Option} keeps adapters; give another --out.");
        return Directory.Exists(keeper.Home) && !isResumed && !mayReplace
            ? throw new UsageException(
                $"{keeper.Home} is there already; give another --out, --resume to continue that run, or --overwrite to "
                + "replace it.")
            : keeper;
    }

    /// <summary>Keeps the adapter of an evaluation if it is one of the best, and drops the one that is no longer.</summary>
    /// <param name="progress">The step.</param>
    /// <param name="training">What is trained.</param>
    public void See(TrainingProgress progress, TrainingRun training)
    {
        var kept = _kept ??= Begin(progress.Step, training.Metric);
        if (progress is not { Step: > 0, Evaluation: { } evaluation })
            return;
        var value = training.Metric.Of(evaluation);
        var rank = RankOf(value, kept, training.Metric);
        if (double.IsNaN(value) || rank >= _most)
            return;
        training.Trainer.SavePresentAdapter(PlaceOf(progress.Step));
        kept.Insert(rank, (progress.Step, value));
        foreach (var (step, _) in kept.Skip(_most))
            Drop(PlaceOf(step));
        kept.RemoveRange(Math.Min(_most, kept.Count), Math.Max(0, kept.Count - _most));
    }

    /// <summary>The kept adapters, in a line; null for none.</summary>
    public string? Line(string folder, EvaluationMetric metric) => _kept is not { Count: > 0 } kept ? null
        : $"Kept in {Path.Combine(folder, Folder)}, best first: "
            + $"{string.Join(", ", kept.Select(k => $"{NameOf(k.Step)} ({metric.Title} {Human.Loss(k.Value)})"))}.";

    /// <summary>Those of the steps before that lie there, best first; others go.</summary>
    private List<(int Step, double Value)> Begin(int step, EvaluationMetric metric)
    {
        var kept = new List<(int Step, double Value)>();
        var log = Path.Combine(_run, MetricsLog.FileName);
        if (_isResumed && File.Exists(log))
        {
            foreach (var evaluation in RunHistory.Read(log).Evaluations.Where(e => e.Step > 0 && e.Step < step))
            {
                var value = metric.Of(evaluation);
                if (double.IsNaN(value) || !Directory.Exists(PlaceOf(evaluation.Step)))
                    continue;
                kept.Insert(RankOf(value, kept, metric), (evaluation.Step, value));
            }
        }

        if (kept.Count > _most)
            kept.RemoveRange(_most, kept.Count - _most);
        if (Directory.Exists(Home))
        {
            foreach (var place in Directory.GetDirectories(Home, $"{Prefix}*").Where(p => kept.All(k => PlaceOf(k.Step) != p)))
                Drop(place);
        }

        return kept;
    }

    /// <summary>Where a value belongs among others, after its equals.</summary>
    private static int RankOf(double value, List<(int Step, double Value)> kept, EvaluationMetric metric) =>
        kept.FindIndex(k => metric.IsBetter(value, k.Value)) is >= 0 and var rank ? rank : kept.Count;

    private string PlaceOf(int step) => Path.Combine(Home, NameOf(step));

    private static string NameOf(int step) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{step:000000}");

    /// <summary>Removes an adapter; what else lies in its folder stays, and the folder with it.</summary>
    private static void Drop(string place)
    {
        foreach (var name in AdapterFiles.Names)
            File.Delete(Path.Combine(place, name));
        if (!Directory.EnumerateFileSystemEntries(place).Any())
            Directory.Delete(place);
    }
}

using System.Globalization;
using OrtPeft.Tensors;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Checkpoints;

/// <summary>Where a run stood, and the settings without which it would not be the same run.</summary>
/// <param name="Step">The steps done.</param>
/// <param name="Seconds">The time spent in them.</param>
/// <param name="Settings">Settings by name, as text.</param>
internal sealed record CheckpointInfo(int Step, double Seconds, IReadOnlyDictionary<string, string> Settings)
{
    private const string StepKey = "step";
    private const string SecondsKey = "seconds";
    private const string SettingPrefix = "setting.";
    private const string MetricKey = "evaluation.metric";

    /// <summary>The results of its evaluations.</summary>
    public EvaluationState Evaluations { get; init; } = EvaluationState.None;

    /// <summary>The name of the metric by which the best of them is.</summary>
    public string BestMetric { get; init; } = EvaluationMetric.All[0].Name;

    public Dictionary<string, string> ToMetadata()
    {
        var metadata = Settings.ToDictionary(
            static s => SettingPrefix + s.Key, static s => s.Value, StringComparer.Ordinal);
        metadata[StepKey] = Step.ToString(CultureInfo.InvariantCulture);
        metadata[SecondsKey] = Seconds.ToString("R", CultureInfo.InvariantCulture);
        Evaluations.AddTo(metadata);
        if (Evaluations != EvaluationState.None)
            metadata[MetricKey] = BestMetric;
        return metadata;
    }

    public static CheckpointInfo FromMetadata(IReadOnlyDictionary<string, string> metadata, string path)
    {
        var (steps, time) = (metadata.GetValueOrDefault(StepKey), metadata.GetValueOrDefault(SecondsKey));
        if (!int.TryParse(steps, CultureInfo.InvariantCulture, out var step))
            throw new TrainingFailedException($"{path} is not a checkpoint of a training run: its metadata has no step.");
        var isTime = double.TryParse(time, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            && double.IsFinite(seconds) && seconds >= 0;
        if (!isTime)
        {
            throw new TrainingFailedException(
                $"{path} says that the run took '{time}' seconds; it is damaged: train without resuming.");
        }

        var settings = metadata.Where(static m => m.Key.StartsWith(SettingPrefix, StringComparison.Ordinal))
            .ToDictionary(static m => m.Key[SettingPrefix.Length..], static m => m.Value, StringComparer.Ordinal);
        return new CheckpointInfo(step, seconds, settings)
        {
            Evaluations = EvaluationState.Of(metadata, path),
            BestMetric = metadata.GetValueOrDefault(MetricKey) ?? EvaluationMetric.All[0].Name,
        };
    }

    /// <summary>Refuses to resume another run.</summary>
    /// <exception cref="SettingException">A setting differs; but more steps than before are an extension.</exception>
    public void MustMatch(CheckpointInfo expected, string path)
    {
        SettingDifference[] differences = [.. DifferencesFrom(expected)];
        if (differences.Length == 0)
            return;
        if (differences.Select(static d => RunIdentity.Describe(d.Name)).FirstOrDefault(static r => r is not null) is { } reason)
            throw new SettingException($"{path} {reason}.") { Differences = differences };
        var first = differences[0];
        throw new SettingException(
            $"{path} was written with {first.Name} = {first.Before ?? "nothing"}, this run has {first.Now}; "
            + (first.Name == RunIdentity.Steps ? "a resumed run has as many steps or more." : "resume with the same settings and data."))
        {
            Differences = differences,
        };
    }

    /// <summary>How many steps its run was to have, where this one is to have more; null where it is not.</summary>
    public int? ExtendedBy(CheckpointInfo longer) => StepsOf(this) is { } before && StepsOf(longer) > before ? before : null;

    private IEnumerable<SettingDifference> DifferencesFrom(CheckpointInfo expected)
    {
        if (Evaluations != EvaluationState.None && BestMetric != expected.BestMetric)
            yield return new("metric", BestMetric, expected.BestMetric);
        foreach (var (name, value) in expected.Settings.Where(static s => s.Key != RunIdentity.Products))
        {
            var found = Settings.GetValueOrDefault(name) ?? RunIdentity.Before(name);
            var isSame = found == value || (found is null && name == RunIdentity.Artifacts)
                || (name == RunIdentity.Steps && ExtendedBy(expected) is not null);
            if (!isSame)
                yield return new(name, found, value);
        }
    }

    private static int? StepsOf(CheckpointInfo info) =>
        int.TryParse(info.Settings.GetValueOrDefault(RunIdentity.Steps), CultureInfo.InvariantCulture, out var steps)
            ? steps
            : null;
}

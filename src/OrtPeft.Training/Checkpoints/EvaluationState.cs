using System.Globalization;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Checkpoints;

/// <summary>The results of a run's evaluations so far.</summary>
/// <param name="Base">The evaluation before the first step; null where there was none.</param>
/// <param name="Best">The best one after a step; null where there was none.</param>
/// <param name="Stale">Evaluations since the last one that was better by enough.</param>
internal sealed record EvaluationState(EvaluationMetrics? Base, EvaluationMetrics? Best, int Stale)
{
    private const string BasePrefix = "evaluation.base-";
    private const string BestPrefix = "evaluation.best-";
    private const string BestStepKey = "evaluation.best-step";
    private const string StaleKey = "evaluation.stale";

    /// <summary>No evaluation yet.</summary>
    public static EvaluationState None { get; } = new(null, null, 0);

    /// <summary>Writes it down; nothing where there was no evaluation.</summary>
    public void AddTo(IDictionary<string, string> metadata)
    {
        if (this == None)
            return;
        Add(metadata, BasePrefix, Base);
        Add(metadata, BestPrefix, Best);
        metadata[BestStepKey] = (Best?.Step ?? 0).ToString(CultureInfo.InvariantCulture);
        metadata[StaleKey] = Stale.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Reads it; <see cref="None"/> where nothing is written down.</summary>
    /// <exception cref="TrainingFailedException">A number is not one.</exception>
    public static EvaluationState Of(IReadOnlyDictionary<string, string> metadata, string path)
    {
        if (!metadata.ContainsKey(StaleKey))
            return None;
        return new EvaluationState(Evaluation(BasePrefix, 0), Evaluation(BestPrefix, Count(BestStepKey)), Count(StaleKey));

        EvaluationMetrics? Evaluation(string prefix, int step) => metadata.ContainsKey($"{prefix}loss")
            && (prefix == BestPrefix ? step > 0 : !double.IsNaN(Number($"{prefix}loss")))
                ? new()
                {
                    Step = step,
                    Loss = Number($"{prefix}loss"),
                    TokenAccuracy = Share($"{prefix}token-accuracy"),
                    ExactMatch = Share($"{prefix}exact-match"),
                    RougeL = Share($"{prefix}rouge-l"),
                    JsonValid = Share($"{prefix}json-valid"),
                }
                : null;

        double? Share(string key) => metadata.ContainsKey(key) ? Number(key) : null;

        double Number(string key) =>
            double.TryParse(metadata.GetValueOrDefault(key), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw Damaged(key);

        int Count(string key) =>
            int.TryParse(metadata.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw Damaged(key);

        TrainingFailedException Damaged(string key) => new(
            $"{path} has {key} = '{metadata.GetValueOrDefault(key)}'; it is damaged: train without resuming.");
    }

    private static void Add(IDictionary<string, string> metadata, string prefix, EvaluationMetrics? evaluation)
    {
        foreach (var metric in evaluation is null ? [] : EvaluationMetric.All)
        {
            if (metric.Name == "loss" || (!metric.IsAlwaysMeasured && !double.IsNaN(metric.Of(evaluation!))))
                metadata[prefix + metric.Name] = metric.Of(evaluation!).ToString("R", CultureInfo.InvariantCulture);
        }
    }
}

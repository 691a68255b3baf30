using System.Text.Json.Nodes;
using OrtPeft.Training;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Cli.Reporting;

/// <summary>The outcome of a run's evaluations, at its end.</summary>
internal static class EvaluationSummary
{
    /// <summary>The best evaluation beside the base's, and which weights were kept; nothing without evaluations.</summary>
    /// <param name="result">How the run ended.</param>
    /// <param name="totalSteps">How many steps it was to have.</param>
    /// <param name="metric">What says which evaluation is best.</param>
    public static IEnumerable<string> Lines(TrainingResult result, int totalSteps, EvaluationMetric metric)
    {
        if (result.BestEvaluation is not { } best)
            yield break;
        if (result.Steps < totalSteps)
            yield return $"Stopped early, at step {result.Steps} of {totalSteps}: evaluations became no better.";
        var before = result.BaseEvaluation is { } evaluation ? metric.Of(evaluation) : double.NaN;
        var against = double.IsNaN(before) ? "" : $" (base {Human.Loss(before)})";
        var kept = result.KeptStep == result.Steps ? "the last step" : $"step {result.KeptStep}";
        yield return $"Best {metric.Title} {Human.Loss(metric.Of(best))} at step {best.Step}{against}; the adapter is that of {kept}.";
        if (!double.IsNaN(before) && !metric.IsBetter(metric.Of(best), before))
            yield return "No evaluation was better than the base's: lower --lr, or look at the data.";
    }

    /// <summary>Adds what programs ask for.</summary>
    public static void AddTo(JsonObject answer, TrainingResult result, EvaluationMetric metric)
    {
        answer["metric"] = metric.Name;
        foreach (var measured in EvaluationMetric.All)
        {
            var isThere = measured.IsAlwaysMeasured || Has(result.BaseEvaluation, measured) || Has(result.BestEvaluation, measured);
            if (!isThere)
                continue;
            answer[$"base_{measured.Key}"] = Value(result.BaseEvaluation, measured);
            answer[$"best_{measured.Key}"] = Value(result.BestEvaluation, measured);
        }

        answer["best_step"] = result.BestEvaluation?.Step;
        answer["kept_step"] = result.KeptStep;
    }

    private static bool Has(EvaluationMetrics? evaluation, EvaluationMetric metric) =>
        evaluation is not null && !double.IsNaN(metric.Of(evaluation));

    private static double? Value(EvaluationMetrics? evaluation, EvaluationMetric metric) =>
        evaluation is null ? null : Finite.OrNull(metric.Of(evaluation));
}

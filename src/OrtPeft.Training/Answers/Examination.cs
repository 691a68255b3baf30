using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Answers;

/// <summary>A model's answers to prompts during training, to show and to score.</summary>
public sealed record Examination
{
    /// <summary>Answers to show; those of the steps done.</summary>
    public IReadOnlyList<SampleAnswer> Answers { get; init; } = [];

    /// <summary>The answers that count; empty where none are measured.</summary>
    public IReadOnlyList<ScoredAnswer> Scored { get; init; } = [];

    /// <summary>The metrics that are measured on the scored answers; the metrics of answers in
    /// <see cref="EvaluationMetric.All"/> that are not here are left out.</summary>
    public IReadOnlyList<EvaluationMetric> Metrics { get; init; } = EvaluationMetric.All;

    /// <summary>An evaluation with what the answers come to.</summary>
    /// <param name="evaluation">The evaluation without them.</param>
    /// <returns>The evaluation with those scores that could be given.</returns>
    public EvaluationMetrics AddTo(EvaluationMetrics evaluation)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        return evaluation with
        {
            ExactMatch = Mean("exact-match", static a => a.ExactMatch),
            RougeL = Mean("rouge-l", static a => a.RougeL),
            JsonValid = Mean("json-valid", static a => a.JsonValid),
        };
    }

    private double? Mean(string metric, Func<ScoredAnswer, double> score)
    {
        if (!Metrics.Any(m => m.Name == metric))
            return null;
        double[] values = [.. Scored.Select(score).Where(static value => !double.IsNaN(value))];
        return values.Length == 0 ? null : values.Average();
    }
}

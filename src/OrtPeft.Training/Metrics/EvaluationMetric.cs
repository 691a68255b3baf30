using System.Collections.Immutable;

namespace OrtPeft.Training.Metrics;

/// <summary>Something that an evaluation measures: the table of all of them.</summary>
public sealed class EvaluationMetric
{
    private readonly Func<EvaluationMetrics, double?> _value;

    private EvaluationMetric(string name, Func<EvaluationMetrics, double?> value) => (Name, _value) = (name, value);

    /// <summary>All, the loss first.</summary>
    public static ImmutableArray<EvaluationMetric> All { get; } =
    [
        new("loss", static e => e.Loss) { IsAlwaysMeasured = true },
        new("perplexity", static e => e.Perplexity) { IsAlwaysMeasured = true },
        new("token-accuracy", static e => e.TokenAccuracy) { IsHigherBetter = true },
        new("exact-match", static e => e.ExactMatch) { IsHigherBetter = true, NeedsAnswers = true },
        new("rouge-l", static e => e.RougeL) { IsHigherBetter = true, NeedsAnswers = true },
        new("json-valid", static e => e.JsonValid) { IsHigherBetter = true, NeedsAnswers = true },
    ];

    /// <summary>The name on command lines and in checkpoints.</summary>
    public string Name { get; }

    /// <summary>The metric's name for people.</summary>
    public string Title => Name switch
    {
        "loss" => "eval loss",
        "rouge-l" => "ROUGE-L",
        "json-valid" => "answers that are JSON",
        _ => Name.Replace('-', ' '),
    };

    /// <summary>The key in <c>metrics.jsonl</c>.</summary>
    public string Key => $"eval_{Name.Replace('-', '_')}";

    /// <summary>Whether a higher value is a better one.</summary>
    public bool IsHigherBetter { get; private init; }

    /// <summary>Whether it is measured on answers that the model gives.</summary>
    public bool NeedsAnswers { get; private init; }

    /// <summary>Whether every evaluation has it.</summary>
    public bool IsAlwaysMeasured { get; private init; }

    /// <summary>Finds one by its name.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The metric; null where there is none of that name.</returns>
    public static EvaluationMetric? Find(string name) => All.FirstOrDefault(m => m.Name == name);

    /// <summary>Its value in an evaluation; NaN where it was not measured.</summary>
    /// <param name="evaluation">The evaluation.</param>
    public double Of(EvaluationMetrics evaluation) => _value(evaluation) ?? double.NaN;

    /// <summary>Whether one value is better than another by more than some difference. One that is not a number is never
    /// better, and worse than any that is.</summary>
    /// <param name="value">The value.</param>
    /// <param name="other">The other.</param>
    /// <param name="difference">0 or more.</param>
    public bool IsBetter(double value, double other, double difference = 0) => !double.IsNaN(value)
        && (double.IsNaN(other) || (IsHigherBetter ? value > other + difference : value < other - difference));
}

using System.Text.Json.Nodes;
using OrtPeft.Adapters;
using OrtPeft.Cli.Reporting;
using OrtPeft.Training;
using OrtPeft.Training.Answers;

namespace OrtPeft.Cli.Runs;

/// <summary>A model that is evaluated, beside others perhaps, and what came of it.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Adapted">The model with its adapters; null for the base alone.</param>
internal sealed record EvaluatedModel(string Name, PeftModel? Adapted)
{
    /// <summary>The word for the base alone.</summary>
    public const string Base = "base";

    /// <summary>The loss on rows; null where rows have choices.</summary>
    public EvaluationResult? Loss { get; init; }

    /// <summary>The share of likeliest tokens that are right; null where it was not measured.</summary>
    public double? TokenAccuracy { get; init; }

    /// <summary>Answers; empty where none were given.</summary>
    public IReadOnlyList<ScoredAnswer> Answers { get; init; } = [];

    /// <summary>Choices; empty where rows have none.</summary>
    public IReadOnlyList<ChoiceScore> Choices { get; init; } = [];

    /// <summary>Seconds that it took.</summary>
    public double Seconds { get; init; }

    /// <summary>The measurements, in the order of a table.</summary>
    public IEnumerable<(string Name, string Key, double Value)> Measures
    {
        get
        {
            if (Loss is { } loss)
            {
                yield return ("loss", "loss", loss.Loss);
                yield return ("perplexity", "perplexity", loss.Perplexity);
            }

            if (TokenAccuracy is { } accuracy)
                yield return ("token accuracy", "token_accuracy", accuracy);
            if (Choices.Count > 0)
            {
                yield return ("acc", "acc", Share(static c => c.Chosen));
                yield return ("acc_norm", "acc_norm", Share(static c => c.ChosenByLength));
            }

            if (Answers.Count == 0)
                yield break;
            yield return ("exact match", "exact_match", Answers.Average(static a => a.ExactMatch));
            yield return ("ROUGE-L", "rouge_l", Answers.Average(static a => a.RougeL));
            yield return ("JSON valid", "json_valid", Answers.Average(static a => a.JsonValid));
        }
    }

    /// <summary>Adds what was measured to a document.</summary>
    /// <param name="document">Receives it.</param>
    /// <param name="rows">How many rows it was measured on.</param>
    public void AddTo(JsonObject document, int rows)
    {
        foreach (var (_, key, value) in Measures)
            document[key] = Finite.OrNull(value);
        if (Loss is { } loss)
            document["tokens"] = loss.Count;
        document["rows"] = rows;
        document["seconds"] = Seconds;
    }

    /// <summary>The rows with their answers or choices, as JSON.</summary>
    public IEnumerable<JsonObject> Rows() =>
    [
        .. Answers.Select(static a => new JsonObject
        {
            ["file"] = a.Row.File,
            ["line"] = a.Row.Line,
            ["prompt"] = a.Prompt,
            ["expected"] = a.Expected,
            ["answer"] = a.Text,
            ["exact_match"] = a.ExactMatch,
            ["rouge_l"] = a.RougeL,
            ["json_valid"] = a.JsonValid,
        }),
        .. Choices.Select(static c => new JsonObject
        {
            ["line"] = c.Row.Line,
            ["prompt"] = c.Row.Prompt,
            ["expected"] = c.Row.Choices[c.Row.Answer],
            ["answer"] = c.Row.Choices[c.Chosen],
            ["answer_norm"] = c.Row.Choices[c.ChosenByLength],
            ["log_likelihoods"] = new JsonArray([.. c.LogLikelihoods.Select(static v => (JsonNode?)Finite.OrNull(v))]),
            ["acc"] = c.Chosen == c.Row.Answer ? 1 : 0,
            ["acc_norm"] = c.ChosenByLength == c.Row.Answer ? 1 : 0,
        }),
    ];

    private double Share(Func<ChoiceScore, int> chosen) => Choices.Average(c => chosen(c) == c.Row.Answer ? 1.0 : 0);
}

using OrtPeft.Cli.Files;
using OrtPeft.Models;
using OrtPeft.Training;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Runs;

/// <summary>The model card beside an adapter.</summary>
internal static class CardFile
{
    /// <summary>Whether there is no card yet, or one that was written here and not changed since by a person.</summary>
    public static bool MayReplace(string folder)
    {
        var path = Path.Combine(folder, ModelCard.FileName);
        return File.Exists(path) ? File.ReadLines(path).Contains(ModelCard.Mark) : !Path.Exists(path);
    }

    /// <summary>Stages the card.</summary>
    /// <param name="folder">The adapter's folder.</param>
    /// <param name="data">The files of the rows.</param>
    /// <param name="training">What was trained.</param>
    /// <param name="result">How the run ended.</param>
    /// <param name="facts">What was known before it began.</param>
    public static void Write(
        OutputFolder folder, IReadOnlyList<string> data, TrainingRun training, TrainingResult result, RunFacts facts)
    {
        var name = RunRecord.NameOf(folder.FullPath);
        var baseModel = (string?)training.Config["base_model_name_or_path"];
        var card = new ModelCard
        {
            Name = name.Length > 0 ? name : "adapter",
            BaseModel = baseModel,
            IsBaseOnHub = baseModel is not null && HubName.Is(baseModel),
            PeftType = training.Job.Method,
            Datasets = [.. data.Select(static file => HubName.OfCache(file, "datasets")).OfType<string>().Distinct()],
            Metrics = [.. Metrics(result)],
            Facts = [.. facts.Groups.Where(static group => group.Title != TrainingFacts.Machine)],
        };
        File.WriteAllText(Path.Combine(folder.Stage, ModelCard.FileName), card.ToMarkdown());
    }

    /// <summary>The metrics of the weights that are written; none where they were not measured.</summary>
    private static IEnumerable<(string Type, string Name, double Value, double Base)> Metrics(TrainingResult result)
    {
        if (result.KeptEvaluation is not { } kept)
            yield break;
        foreach (var metric in EvaluationMetric.All)
        {
            if (metric.IsAlwaysMeasured || !double.IsNaN(metric.Of(kept)))
                yield return (Type(metric), metric.Title, metric.Of(kept), Before(metric));
        }

        double Before(EvaluationMetric metric) => result.BaseEvaluation is { } before ? metric.Of(before) : double.NaN;
    }

    /// <summary>The hub's names of metrics are Python's.</summary>
    private static string Type(EvaluationMetric metric) => metric.Name switch
    {
        "rouge-l" => "rouge",
        _ => metric.Name.Replace('-', '_'),
    };
}

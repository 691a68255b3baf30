using System.CommandLine;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Words;
using OrtPeft.Training;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Cli.Options;

/// <summary>Options for what evaluations measure besides the loss, and for what the model is asked at them.</summary>
internal sealed class ExaminationOptions : IOptionGroup
{
    private static readonly TrainingArguments Defaults = new();

    private readonly Option<string[]> _metrics = new("--metrics")
    {
        Description = "Measure at evaluations too: "
            + $"{string.Join(", ", EvaluationMetric.All.Where(static m => !m.IsAlwaysMeasured).Select(static m => m.Name))}. "
            + "The last three are of generated answers.",
        HelpName = "A,B",
    };

    private readonly Option<string> _best = new("--metric")
    {
        Description = "What says which evaluation is better, for --patience, --min-delta and --keep: loss, perplexity, or "
            + "one of --metrics.",
        HelpName = "NAME",
        DefaultValueFactory = static _ => Defaults.BestMetric,
    };

    private readonly Option<int> _metricRows = NumberOption.Of(
        "--metric-rows", "Held-out rows whose answers are generated for --metrics, drawn by --seed.", "N", 32, least: 1);

    private readonly Option<int> _samples = NumberOption.Of(
        "--samples", "Show the model's answers to the first N held-out rows at each evaluation.", "N", 0, least: 0);

    private readonly Option<string[]> _prompts = new("--sample-prompt")
    {
        Description = "Show the model's answer to this at each evaluation: a user's message where rows are conversations, "
            + "else a text to continue (repeatable).",
        HelpName = "TEXT",
    };

    private readonly Option<int?> _newTokens = NumberOption.Optional<int>(
        "--max-new-tokens",
        "The longest answer at evaluations. [default: the longest that rows expect and 16 more, 64 for --sample-prompt]",
        "N");

    public IEnumerable<Option> Options => [_metrics, _best, _metricRows, _samples, _prompts, _newTokens];

    /// <summary>The prompts that the user gave.</summary>
    public IReadOnlyList<string> Prompts(Invocation run) => run.Get(_prompts) ?? [];

    /// <summary>How many held-out rows are answered to be shown.</summary>
    public int Samples(Invocation run) => run.Get(_samples);

    /// <summary>How many held-out rows are answered to be measured; 0 where nothing is measured on answers.</summary>
    public int MeasuredRows(Invocation run) =>
        Wanted(run).Any(static m => m.NeedsAnswers) ? run.Get(_metricRows) : 0;

    /// <summary>The longest answer; null where it follows from the rows.</summary>
    public int? NewTokens(Invocation run) => run.Get(_newTokens);

    /// <summary>Whether the model is asked anything.</summary>
    public bool Asks(Invocation run) => Prompts(run).Count > 0 || Samples(run) > 0 || MeasuredRows(run) > 0;

    /// <summary>The first option given that needs held-out rows; null where none is.</summary>
    public Option? OfHeldOutRows(Invocation run) =>
        new Option[] { _metrics, _best, _metricRows, _samples }.FirstOrDefault(run.Has);

    /// <summary>Refuses what only a model in memory can do.</summary>
    /// <exception cref="UsageException">Something of it is wanted.</exception>
    public void RefuseForArtifacts(Invocation run, string path)
    {
        if (Asks(run) || Wanted(run).Any(static m => !m.IsAlwaysMeasured))
        {
            throw new UsageException(
                $"{path} holds artifacts, which give a loss and no answers; leave out --metrics, --samples and "
                + "--sample-prompt.");
        }
    }

    /// <summary>Adds to how training goes what is measured.</summary>
    /// <exception cref="UsageException">There is no such metric.</exception>
    public TrainingArguments AddTo(TrainingArguments arguments, Invocation run)
    {
        var wanted = Wanted(run);
        if (run.Has(_metricRows) && MeasuredRows(run) == 0)
            throw new UsageException("--metric-rows is for answers that are measured; give --metrics exact-match or the like too.");
        if (run.Has(_newTokens) && !Asks(run))
            throw new UsageException("--max-new-tokens is for answers; give --metrics, --samples or --sample-prompt too.");
        return arguments with
        {
            BestMetric = run.Get(_best),
            MeasureTokenAccuracy = wanted.Any(static m => m.Name == "token-accuracy"),
        };
    }

    /// <summary>The metrics that the user wants, the one that says which evaluation is best among them.</summary>
    public IReadOnlyList<EvaluationMetric> Wanted(Invocation run)
    {
        var names = (run.Get(_metrics) ?? []).SelectMany(static list => list.Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        return [.. names.Select(name => Find(_metrics, name)).Append(Find(_best, run.Get(_best))).Distinct()];
    }

    private static EvaluationMetric Find(Option option, string name)
    {
        if (EvaluationMetric.Find(name) is { } metric)
            return metric;
        string[] names = [.. EvaluationMetric.All.Select(static m => m.Name)];
        throw new UsageException(Suggestion.Nearest(name, names) is { } near
            ? $"{option.Name}: there is no metric '{name}'; did you mean {near}?"
            : $"{option.Name}: there is no metric '{name}'; give one of {string.Join(", ", names)}.");
    }
}

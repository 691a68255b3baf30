using System.CommandLine;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Config;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;
using OrtPeft.Cli.Runs;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Commands;

/// <summary>Shows runs on a page.</summary>
internal sealed class ReportCommand : Verb
{
    private const string Comparison = "comparison.html";

    private readonly Argument<string[]> _runs = new("RUN")
    {
        Description = $"Folders that ortpeft train wrote, with {MetricsLog.FileName}.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _html = new("--html")
    {
        Description = $"The page to write. [default: {RunPage.FileName} in the folder of one run, {Comparison} here for "
            + "several]",
        HelpName = "FILE",
    };

    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public ReportCommand(Host host)
        : base(host, "report", "Show a run's curves, answers and settings on a web page, or compare several runs.")
    {
        Examples = ["ortpeft report adapter", "ortpeft report rank-4 rank-8 rank-16 --html ranks.html"];
        Notes = "The page needs no other file and no network. train writes one for its run; a run that still goes on can "
            + "be shown too.";
        Arguments.Add(_runs);
        Options.Add(_html);
    }

    protected override void Run(Invocation run)
    {
        var folders = run.Get(_runs);
        RunRecord[] runs = [.. folders.Select(Open)];
        var doubled = runs.GroupBy(static r => r.Name).Where(static g => g.Count() > 1).Select(static g => g.Key).ToHashSet();
        for (var i = 0; i < runs.Length; i++)
        {
            if (doubled.Contains(runs[i].Name))
                runs[i] = runs[i] with { Name = folders[i] };
        }

        var path = run.Get(_html) ?? (runs.Length == 1 ? Path.Combine(folders[0], RunPage.FileName) : Comparison);
        RunPageFile.Replace(path, runs is [var only] ? RunPage.Of(only) : ComparisonPage.Of(runs));
        foreach (var line in TextTable.Lines(runs.Select(Row).Prepend(["run", "steps", "training loss", "best evaluation"])))
            run.Say(line);
        run.Say($"Wrote {path}.");
        run.Answer(new()
        {
            ["html"] = path,
            ["runs"] = new JsonArray([.. runs.Select(static r => (JsonNode)Describe(r))]),
        });
    }

    private static RunRecord Open(string folder)
    {
        if (!Directory.Exists(folder))
            throw new UsageException($"{folder} is not a folder; give one that ortpeft train wrote.");
        return File.Exists(Path.Combine(folder, MetricsLog.FileName))
            ? RunRecord.Open(folder, RunFile.FileName)
            : throw new UsageException($"{folder} has no {MetricsLog.FileName}; give a folder that ortpeft train wrote.");
    }

    private static string[] Row(RunRecord run) =>
    [
        run.Name,
        Human.Count(run.History.LastStep),
        Human.Loss(run.FinalLoss),
        run.Best is { } best ? $"{run.Metric.Title} {Human.Loss(run.Metric.Of(best))} at step {best.Step}" : "",
    ];

    private static JsonObject Describe(RunRecord run) => new()
    {
        ["run"] = run.Name,
        ["steps"] = run.History.LastStep,
        ["loss"] = Finite.OrNull(run.FinalLoss),
        ["base_eval_loss"] = run.Base is { } before ? Finite.OrNull(before.Loss) : null,
        ["best_eval_loss"] = run.Best is { } best ? Finite.OrNull(best.Loss) : null,
        ["metric"] = run.Metric.Name,
        ["best"] = run.Best is { } measured ? Finite.OrNull(run.Metric.Of(measured)) : null,
        ["best_step"] = run.Best?.Step,
    };
}

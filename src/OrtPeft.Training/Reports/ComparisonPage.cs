using System.Globalization;
using System.Text;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Reports;

/// <summary>Several runs on one page of HTML: a table of results, what they differ in, and their curves over each
/// other.</summary>
public static class ComparisonPage
{
    private const int Colours = 8;
    private const string Title = "Comparison of runs";

    /// <summary>Writes the page.</summary>
    /// <param name="runs">The runs; the first are drawn in the strongest colours.</param>
    /// <returns>HTML.</returns>
    public static string Of(IReadOnlyList<RunRecord> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var page = PageText.Begin(Title, RunPage.Mark);
        PageText.Element(page, "h1", Title);
        PageText.Table(page, runs.Select(Row).Prepend(
            ["run", "steps", "training loss", "base", "best evaluation", "at step", "tokens", "time", "tokens/s"]));
        page.Append("<div class=\"charts\">\n");
        Chart.AddOfRatios(page, "Training loss, smoothed", "", Curves(runs, Smoothed));
        Chart.AddOfRatios(
            page,
            "Evaluation loss",
            "",
            Curves(runs, static run => [.. run.History.Evaluations.Select(static e => ((double)e.Step, e.Loss))], dots: true));
        foreach (var metric in EvaluationMetric.All.Where(m => runs.Any(r => RunPage.Measured(r.History).Contains(m))))
        {
            Chart.Add(
                page,
                $"{char.ToUpperInvariant(metric.Title[0])}{metric.Title[1..]}",
                "",
                Curves(runs, run => RunPage.Points(run.History, metric), dots: true));
        }

        Chart.Add(page, "Learning rate", "", Curves(runs, static run => Points(run, static s => s.LearningRate)));
        Chart.AddOfRatios(page, "Gradient norm", "", Curves(runs, static run => Points(run, static s => s.GradNorm)));
        page.Append("</div>\n");
        Differences(page, runs);
        return page.Append("</body>\n</html>\n").ToString();
    }

    private static IReadOnlyList<string> Row(RunRecord run)
    {
        var steps = run.History.Steps;
        var (seconds, tokens) = (
            steps.Sum(static s => double.IsFinite(s.Seconds) ? s.Seconds : 0), steps.Sum(static s => (double)s.Tokens));
        return
        [
            run.Name,
            Text($"{run.History.LastStep:N0}"),
            RunPage.Loss(run.FinalLoss),
            run.Base is { } before ? RunPage.Loss(run.Metric.Of(before)) : "–",
            run.Best is { } best ? $"{RunPage.Loss(run.Metric.Of(best))} ({run.Metric.Title})" : "–",
            run.Best is { } at ? Text($"{at.Step:N0}") : "–",
            Text($"{tokens:N0}"),
            RunPage.Duration(seconds),
            seconds > 0 ? Text($"{tokens / seconds:N0}") : "–",
        ];
    }

    private static IReadOnlyList<Curve> Curves(
        IReadOnlyList<RunRecord> runs, Func<RunRecord, IReadOnlyList<(double X, double Y)>> points, bool dots = false) =>
        [.. runs.Select((run, i) => new Curve(run.Name, StyleOf(i), points(run), dots))];

    private static string StyleOf(int run) =>
        Text($"c{run % Colours}{(run / Colours % 2 == 1 ? " dashed" : "")}");

    private static IReadOnlyList<(double X, double Y)> Smoothed(RunRecord run)
    {
        var mean = new RunningMean(RunningMean.WindowFor(run.History.Steps.Count));
        return Points(run, s => mean.Add(s.Loss));
    }

    private static IReadOnlyList<(double X, double Y)> Points(RunRecord run, Func<StepMetrics, double> value) =>
        [.. run.History.Steps.Select(s => ((double)s.Step, value(s)))];

    /// <summary>A table of the facts in which the runs differ.</summary>
    private static void Differences(StringBuilder page, IReadOnlyList<RunRecord> runs)
    {
        var facts = runs.Select(static run => run.Facts?.Groups.SelectMany(static g => g.Facts.Where(static f => f.Key != RunFacts.Begun).Select(
                f => (Name: $"{g.Title}: {f.Key}", f.Value)))
            .GroupBy(static f => f.Name).ToDictionary(static f => f.Key, static f => f.First().Value) ?? []).ToArray();
        string[] names = [.. facts.SelectMany(static f => f.Keys).Distinct()
            .Where(name => facts.Select(f => f.GetValueOrDefault(name)).Distinct().Count() > 1)];
        if (names.Length == 0)
            return;
        PageText.Element(page, "h2", "Differences");
        PageText.Table(page, runs.Select(IReadOnlyList<string> (run, i) =>
            [run.Name, .. names.Select(name => facts[i].GetValueOrDefault(name) ?? "–")]).Prepend(["run", .. names]));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

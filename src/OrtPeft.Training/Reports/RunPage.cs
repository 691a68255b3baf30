using System.Globalization;
using System.Text;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Reports;

/// <summary>A run on one page of HTML that needs no other file and no script: curves, answers, settings, machine.</summary>
public static class RunPage
{
    /// <summary>The page's name in a run's folder.</summary>
    public const string FileName = "report.html";

    /// <summary>Stands in every such page, and so tells them from other files.</summary>
    public const string Mark = "ortpeft report";

    private const int MostEvaluations = 200;
    private const int MostAnswers = 12;

    /// <summary>Writes the page.</summary>
    /// <param name="run">The run.</param>
    /// <returns>HTML.</returns>
    public static string Of(RunRecord run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var page = PageText.Begin(run.Name, Mark);
        PageText.Element(page, "h1", run.Name);
        PageText.Element(page, "p class=\"lead\"", Progress(run));
        Tiles(page, run);
        page.Append("<div class=\"charts\">\n");
        Charts(page, run.History);
        page.Append("</div>\n");
        Evaluations(page, run);
        Samples(page, run.History.Samples);
        Facts(page, run.Facts);
        if (run.Configuration is { } configuration)
        {
            PageText.Element(page, "h2", "Configuration");
            PageText.Element(page, "pre", configuration.TrimEnd());
        }

        return page.Append("</body>\n</html>\n").ToString();
    }

    private static string Progress(RunRecord run)
    {
        if (run.History.Steps is not [.., var last])
            return "No step is done yet.";
        var epochs = double.IsNaN(last.Epoch) ? "" : Text($", {last.Epoch:0.##} epochs");
        var of = run.Facts is { TotalSteps: > 0 and var total } && total != last.Step ? Text($" of {total:N0}") : "";
        return Text($"Step {last.Step:N0}{of}{epochs}.");
    }

    private static void Tiles(StringBuilder page, RunRecord run)
    {
        var steps = run.History.Steps;
        var seconds = steps.Sum(static s => double.IsFinite(s.Seconds) ? s.Seconds : 0);
        var tokens = steps.Sum(static s => (double)s.Tokens);
        page.Append("<ul class=\"tiles\">\n");
        if (run.Best is { } best)
        {
            var against = run.Base is { } before ? Text($", base {Loss(run.Metric.Of(before))}") : "";
            Tile(Loss(run.Metric.Of(best)), Text($"best {run.Metric.Title}, step {best.Step:N0}{against}"));
        }

        if (steps.Count > 0)
        {
            Tile(Loss(run.FinalLoss), "training loss at the end, smoothed");
            Tile(Text($"{tokens:N0}"), "tokens");
            Tile(Duration(seconds), "in steps");
            Tile(seconds > 0 ? Text($"{tokens / seconds:N0}") : "–", "tokens per second");
        }

        page.Append("</ul>\n");

        void Tile(string value, string name)
        {
            page.Append("<li>");
            PageText.Element(page, "b", value);
            PageText.Element(page, "span", name);
            page.Append("</li>\n");
        }
    }

    private static void Charts(StringBuilder page, RunHistory history)
    {
        var steps = history.Steps;
        var mean = new RunningMean(RunningMean.WindowFor(steps.Count));
        Chart.AddOfRatios(
            page,
            "Training loss",
            "Mean over each step's learned tokens, in nats.",
            new Curve("each step", "c0 faint", Points(steps, static s => s.Loss)),
            new Curve("smoothed", "c0", Points(steps, s => mean.Add(s.Loss))));
        Chart.AddOfRatios(
            page,
            "Evaluation loss",
            "Over all held-out rows; step 0 is the base.",
            new Curve("eval loss", "c1", [.. history.Evaluations.Select(static e => ((double)e.Step, e.Loss))], HasDots: true));
        foreach (var (metric, i) in Measured(history).Select(static (m, i) => (m, i)))
        {
            Chart.Add(
                page,
                $"{char.ToUpperInvariant(metric.Title[0])}{metric.Title[1..]}",
                "On held-out rows; higher is better.",
                new Curve(metric.Title, StyleOf(i), Points(history, metric), HasDots: true));
        }

        Chart.Add(page, "Learning rate", "", new Curve("rate", "c2", Points(steps, static s => s.LearningRate)));
        Chart.AddOfRatios(
            page, "Gradient norm", "Before clipping.", new Curve("norm", "c3", Points(steps, static s => s.GradNorm)));
        Chart.Add(
            page, "Tokens per second", "", new Curve("tokens/s", "c5", Points(steps, static s => s.TokensPerSecond)));
    }

    /// <summary>The metrics beyond the loss that a run measured.</summary>
    internal static IEnumerable<EvaluationMetric> Measured(RunHistory history) => EvaluationMetric.All.Where(
        metric => !metric.IsAlwaysMeasured && history.Evaluations.Any(e => !double.IsNaN(metric.Of(e))));

    /// <summary>The values of a metric over steps.</summary>
    internal static IReadOnlyList<(double X, double Y)> Points(RunHistory history, EvaluationMetric metric) =>
        [.. history.Evaluations.Select(e => ((double)e.Step, metric.Of(e)))];

    private static string StyleOf(int metric) => metric % 2 == 0 ? "c4" : "c6";

    private static IReadOnlyList<(double X, double Y)> Points(
        IReadOnlyList<StepMetrics> steps, Func<StepMetrics, double> value) =>
        [.. steps.Select(s => ((double)s.Step, value(s)))];

    private static void Evaluations(StringBuilder page, RunRecord run)
    {
        var evaluations = run.History.Evaluations;
        if (evaluations.Count == 0)
            return;
        PageText.Element(page, "h2", "Evaluations");
        var shown = Spread(evaluations, MostEvaluations);
        EvaluationMetric[] others = [.. Measured(run.History)];
        if (shown.Count < evaluations.Count)
            PageText.Element(page, "p class=\"note\"", Text($"{shown.Count} of {evaluations.Count:N0}, evenly spread."));
        PageText.Table(
            page,
            shown.Select(IReadOnlyList<string> (e) =>
            [
                e.Step == 0 ? "0 (base)" : Text($"{e.Step:N0}"),
                Loss(e.Loss),
                Loss(e.Perplexity),
                .. others.Select(metric => Loss(metric.Of(e))),
                e == run.Best ? "best" : "",
            ]).Prepend(["step", "eval loss", "perplexity", .. others.Select(static m => m.Title), ""]));
    }

    private static void Samples(StringBuilder page, IReadOnlyList<SampleAnswer> samples)
    {
        if (samples.Count == 0)
            return;
        PageText.Element(page, "h2", "Answers over time");
        foreach (var prompt in samples.GroupBy(static s => (s.Prompt, s.Expected)))
        {
            PageText.Element(page, "h3", "Prompt");
            PageText.Element(page, "pre", prompt.Key.Prompt);
            if (prompt.Key.Expected is { } expected)
            {
                PageText.Element(page, "h3", "Expected");
                PageText.Element(page, "pre", expected);
            }

            foreach (var answer in Spread([.. prompt], MostAnswers))
            {
                PageText.Element(page, "h3", answer.Step == 0 ? "Before training" : Text($"Step {answer.Step:N0}"));
                PageText.Element(page, "pre", answer.Text);
            }
        }
    }

    private static void Facts(StringBuilder page, RunFacts? facts)
    {
        if (facts is not { Groups.Count: > 0 })
            return;
        page.Append("<div class=\"facts\">\n");
        foreach (var group in facts.Groups)
        {
            page.Append("<section>\n");
            PageText.Element(page, "h2", group.Title);
            page.Append("<table>\n");
            foreach (var (name, value) in group.Facts)
                page.Append("<tr><th>").Append(PageText.Escaped(name)).Append("</th><td>").Append(PageText.Escaped(value)).Append("</td></tr>\n");
            page.Append("</table>\n</section>\n");
        }

        page.Append("</div>\n");
    }

    /// <summary>At most so many of them, evenly spread, the first and the last among them.</summary>
    private static IReadOnlyList<T> Spread<T>(IReadOnlyList<T> all, int most) => all.Count <= most
        ? all
        : [.. Enumerable.Range(0, most).Select(i => all[(int)((long)i * (all.Count - 1) / (most - 1))])];

    internal static string Loss(double loss) =>
        double.IsFinite(loss) ? Math.Abs(loss) < 1e6 ? Text($"{loss:F4}") : Text($"{loss:0.###e+0}") : "not a number";

    internal static string Duration(double seconds) => seconds switch
    {
        < 60 => Text($"{seconds:0.#} s"),
        < 3600 => Text($"{(int)seconds / 60}:{(int)seconds % 60:00} min"),
        _ => Text($"{(long)seconds / 3600}:{(long)seconds / 60 % 60:00} h"),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

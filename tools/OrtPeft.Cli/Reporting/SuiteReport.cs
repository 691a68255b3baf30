using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Bench;
using OrtPeft.Cli.Bench.Suite;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Cli.Reporting;

/// <summary>The suite's figures, as Markdown and in JSON: medians over the rounds.</summary>
internal static class SuiteReport
{
    private static readonly string[] TrainingColumns =
    [
        "a step of LoRA, rank 8", "", "ms", "tokens/s", "GEMM fraction", "peak MiB", "load + first step, s",
    ];

    private static readonly string[] InferenceColumns =
    [
        "generation", "", "tokens/s", "adapter beside", "merged", "evaluation, tokens/s",
    ];

    /// <summary>Writes the tables.</summary>
    /// <param name="run">Where to.</param>
    /// <param name="figures">What was measured.</param>
    /// <param name="ratios">What is compared.</param>
    public static void Write(
        Invocation run,
        IReadOnlyDictionary<SuiteCase, IReadOnlyList<SuiteFigures>> figures,
        IReadOnlyList<SuiteRatio> ratios)
    {
        var rounds = figures.Values.First().Count;
        var machine = string.Create(
            CultureInfo.InvariantCulture,
            $"{run.Host.Clock.GetUtcNow():yyyy-MM-dd}, {Environment.ProcessorCount} cores of {ProcessorName.Read()}; ")
            + $"{(rounds == 1 ? "one round" : $"medians of {rounds} rounds in turn")}.";
        Show(run, TrainingColumns, figures.Where(static p => !p.Key.IsInference).Select(static p => TrainingRow(p.Key, p.Value)));
        Show(run, InferenceColumns, figures.Where(static p => p.Key.IsInference).Select(static p => InferenceRow(p.Key, p.Value)));
        var compared = ratios.Select(r => (r.Name, Value: Ratio(r, figures))).Where(static r => r.Value is not null).ToArray();
        Show(run, ["ratio", ""], compared.Select(static r => new[] { r.Name, Text($"{r.Value:F2}") }));
        run.Say(machine);
        run.Answer(new JsonObject
        {
            ["machine"] = machine,
            ["cases"] = new JsonArray([.. figures.Select(static p => (JsonNode)new JsonObject
            {
                ["name"] = p.Key.Name,
                ["variant"] = p.Key.Variant,
                ["rounds"] = new JsonArray([.. p.Value.Select(static f => f.Json.DeepClone())]),
            })]),
            ["ratios"] = new JsonObject(compared.Select(static r => KeyValuePair.Create<string, JsonNode?>(r.Name, r.Value))),
        });
    }

    /// <summary>The median over the rounds of one figure over another; null where a case was not run.</summary>
    public static double? Ratio(
        SuiteRatio ratio, IReadOnlyDictionary<SuiteCase, IReadOnlyList<SuiteFigures>> figures) =>
        figures.TryGetValue(ratio.Of, out var of) && figures.TryGetValue(ratio.By, out var by)
            ? Sample.Median([.. of.Zip(by).Select(p => ratio.Figure(p.First) / ratio.Figure(p.Second))])
            : null;

    private static string[] TrainingRow(SuiteCase one, IReadOnlyList<SuiteFigures> rounds) =>
    [
        one.Name,
        one.Variant,
        Text($"{Median(rounds, static f => f.Step):N0}"),
        Text($"{Median(rounds, static f => f.TokensPerSecond):N0}"),
        Text($"{Median(rounds, static f => f.GemmFraction):F2}"),
        Text($"{Median(rounds, static f => f.PeakMemory):N0}"),
        Text($"{Median(rounds, static f => f.Load):F1} + {Median(rounds, static f => f.FirstStep):F1}"),
    ];

    private static string[] InferenceRow(SuiteCase one, IReadOnlyList<SuiteFigures> rounds) =>
    [
        one.Name,
        one.Variant,
        Text($"{Median(rounds, static f => f.NewTokens("base")):F1}"),
        Text($"{Median(rounds, static f => f.NewTokens("unmerged")):F1}"),
        Text($"{Median(rounds, static f => f.NewTokens("merged")):F1}"),
        Text($"{Median(rounds, static f => f.Evaluated):N0}"),
    ];

    private static double Median(IReadOnlyList<SuiteFigures> rounds, Func<SuiteFigures, double> figure) =>
        Sample.Median([.. rounds.Select(figure)]);

    private static void Show(Invocation run, string[] columns, IEnumerable<string[]> rows)
    {
        var all = rows.ToArray();
        if (all.Length == 0)
            return;
        foreach (var cells in all.Prepend([.. columns.Select(static _ => "---")]).Prepend(columns))
            run.Say($"| {string.Join(" | ", cells)} |");
        run.Say("");
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}

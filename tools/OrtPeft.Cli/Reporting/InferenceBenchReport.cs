using System.Text.Json.Nodes;
using OrtPeft.Cli.Bench;

namespace OrtPeft.Cli.Reporting;

/// <summary>The figures of a benchmark of evaluation and generation, as a table and in JSON.</summary>
internal static class InferenceBenchReport
{
    /// <summary>Writes the figures.</summary>
    /// <param name="run">Where to.</param>
    /// <param name="result">The figures.</param>
    /// <param name="tokens">Tokens of the evaluated batch.</param>
    public static void Write(Invocation run, InferenceBenchmarkResult result, int tokens)
    {
        if (!result.HasCache)
            run.Note("the model has no cache, so every new token runs the whole sequence again.");
        string[] heads = ["", "evaluation", "tokens/s", "× base", "prompt", "× base", "new token", "× base"];
        foreach (var line in TextTable.Lines(Variants(result).Select(v => Row(v.Name, v.Times, tokens)).Prepend(heads)))
            run.Say(line);
        run.Answer(ToJson(result, tokens));
    }

    private static IEnumerable<(string Name, VariantTimes? Times)> Variants(InferenceBenchmarkResult result) =>
        [("base", result.Base), ("unmerged", result.Unmerged), ("merged", result.Merged)];

    private static string[] Row(string name, VariantTimes? times, int tokens) => times is null
        ? [name, "this method cannot be merged", .. Enumerable.Repeat("", 6)]
        : [name, Time(times.Evaluation), Line($"{Speed(tokens, times.Evaluation):F0}"), Ratio(times.Evaluation),
            Time(times.Prompt), Ratio(times.Prompt), Time(times.Token), Ratio(times.Token)];

    private static string Time(RunTimes times) => Line($"{times.MedianMilliseconds:F1} ms");

    private static string Ratio(RunTimes times) => Line($"{times.Ratio:F3}");

    private static JsonObject ToJson(InferenceBenchmarkResult result, int tokens)
    {
        var json = new JsonObject
        {
            ["has_cache"] = result.HasCache,
            ["onnxruntime"] = result.OnnxRuntimeVersion,
        };
        foreach (var (name, times) in Variants(result))
            json[name] = times is null ? null : ToJson(times, tokens);
        return json;
    }

    private static JsonObject ToJson(VariantTimes times, int tokens) => new()
    {
        ["evaluation"] = ToJson(times.Evaluation, tokens),
        ["prompt"] = ToJson(times.Prompt),
        ["new_token"] = ToJson(times.Token, 1),
    };

    private static JsonObject ToJson(RunTimes times, int? tokens = null)
    {
        var json = new JsonObject
        {
            ["ms_median"] = times.MedianMilliseconds,
            ["ms_min"] = times.LeastMilliseconds,
            ["ratio"] = times.Ratio,
        };
        if (tokens is { } count)
            json["tokens_per_second"] = Speed(count, times);
        return json;
    }

    private static double Speed(int tokens, RunTimes times) => tokens / times.MedianMilliseconds * 1e3;

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}

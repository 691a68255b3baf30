using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Bench;

namespace OrtPeft.Cli.Reporting;

/// <summary>The figures of a benchmark of serving, as a table and in JSON.</summary>
internal static class ServingBenchReport
{
    /// <summary>Writes the figures.</summary>
    public static void Write(Invocation run, IReadOnlyList<ServingTimes> times)
    {
        string[] heads = ["", "tokens/s", "× plain", "first token"];
        foreach (var line in TextTable.Lines(times.Select(Row).Prepend(heads)))
            run.Say(line);
        run.Answer(new JsonObject(times.Select(static t => KeyValuePair.Create<string, JsonNode?>(
            t.Variant, new JsonObject
            {
                ["tokens_per_second"] = t.TokensPerSecond,
                ["ratio"] = t.Ratio,
                ["first_token_seconds"] = t.FirstTokenSeconds,
            }))));
    }

    private static string[] Row(ServingTimes times) =>
    [
        times.Variant,
        string.Create(CultureInfo.InvariantCulture, $"{times.TokensPerSecond:F0}"),
        string.Create(CultureInfo.InvariantCulture, $"{times.Ratio:F2}"),
        string.Create(CultureInfo.InvariantCulture, $"{1000 * times.FirstTokenSeconds:F0} ms"),
    ];
}

using System.Text.Json.Nodes;
using OrtPeft.Cli.Bench;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Cli.Reporting;

/// <summary>The figures of a training benchmark, in lines and in JSON.</summary>
internal static class TrainingBenchReport
{
    /// <summary>Writes the figures.</summary>
    /// <param name="run">Where to.</param>
    /// <param name="result">The figures.</param>
    /// <param name="load">From the start to sessions that can train. Seconds.</param>
    public static void Write(Invocation run, BenchmarkResult result, double load)
    {
        Show(run, result, load);
        run.Answer(ToJson(result, load));
    }

    private static void Show(Invocation run, BenchmarkResult result, double load)
    {
        var (median, least) = (result.MedianStepMilliseconds, result.LeastStepMilliseconds);
        run.Say(Line($"step        {median:F1} ms median, {least:F1} ms least, first {result.FirstStepSeconds:F2} s"));
        run.Say(Line($"speed       {result.TokensPerSecond:F0} tokens/s"));
        var (model, gemm) = (result.ModelGflops, result.GemmGflops);
        var kernel = result.ProductKernel == ProductKernel.Own ? "OrtPeft's" : "ONNX Runtime's";
        run.Say(Line($"products    {model:F1} of {gemm:F1} GFLOP/s: {result.GemmFraction:P0}, {kernel} kernel"));
        run.Say(Line($"load        {load:F2} s"));
        run.Say($"peak memory {Human.Bytes(result.PeakResidentBytes)}");
        if (result.Profile is not { } profile)
            return;
        ShowGroup(run, "operator", profile.ByOperator);
        ShowGroup(run, "part", profile.ByPart);
        if (profile.OnCpu is [_, ..] strays)
            ShowGroup(run, "on the CPU", strays);
        if (result.FoundNothing is [_, ..] names)
            run.Say($"\nfound nothing to do: {string.Join(", ", names)}");
    }

    private static void ShowGroup(Invocation run, string kind, IReadOnlyList<ProfileEntry> entries)
    {
        run.Say("");
        var rows = entries.Select(static e =>
            new[] { e.Name, Line($"{e.Milliseconds:F1}"), Line($"{e.Share:P1}"), Human.Count(e.Nodes) });
        foreach (var line in TextTable.Lines(rows.Prepend([kind, "ms/step", "share", "nodes"])))
            run.Say(line);
    }

    private static JsonObject ToJson(BenchmarkResult result, double load) => new()
    {
        ["ms_per_step_median"] = result.MedianStepMilliseconds,
        ["ms_per_step_min"] = result.LeastStepMilliseconds,
        ["first_step_seconds"] = result.FirstStepSeconds,
        ["tokens_per_second"] = result.TokensPerSecond,
        ["peak_rss_mb"] = result.PeakResidentBytes / (1024.0 * 1024.0),
        ["gemm_gflops"] = result.GemmGflops,
        ["model_gflops"] = result.ModelGflops,
        ["gemm_fraction"] = result.GemmFraction,
        ["products"] = result.ProductKernel,
        ["load_seconds"] = load,
        ["last_loss"] = Finite.OrNull(result.LastLoss),
        ["trainable_parameters"] = result.TrainableParameters,
        ["onnxruntime"] = result.OnnxRuntimeVersion,
        ["profile"] = result.Profile is { } profile
            ? new JsonObject
            {
                ["ops"] = Json(profile.ByOperator),
                ["parts"] = Json(profile.ByPart),
                ["on_cpu"] = profile.OnCpu is { } strays ? Json(strays) : null,
                ["found_nothing"] = new JsonArray([.. result.FoundNothing.Select(static n => (JsonNode)n)]),
            }
            : null,
    };

    private static JsonArray Json(IReadOnlyList<ProfileEntry> entries) => [.. entries.Select(static e => new JsonObject
    {
        ["name"] = e.Name,
        ["ms_per_step"] = e.Milliseconds,
        ["share"] = e.Share,
        ["nodes"] = e.Nodes,
    })];

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}

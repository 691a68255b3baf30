using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using OrtPeft.Cli.Reporting;
using OrtPeft.Training.Data;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Runs;

/// <summary>Facts that are known of a run before its first step.</summary>
internal static class TrainingFacts
{
    /// <summary>The group of facts that are the machine's and not the run's.</summary>
    public const string Machine = "Machine";

    /// <summary>Gathers them.</summary>
    /// <param name="run">The run.</param>
    /// <param name="training">What is trained.</param>
    /// <param name="model">The model as it was given.</param>
    public static RunFacts Of(Invocation run, TrainingRun training, string model) => new()
    {
        TotalSteps = training.Trainer.TotalSteps,
        Metric = training.Metric,
        Groups =
        [
            new("Adapter", [.. Adapter(training, model)]),
            new("Training", [.. Settings(training)]),
            new("Data", [.. Rows("rows", training.Rows), .. Rows("held-out rows", training.HeldOut ?? [])]),
            new(Machine, [.. OfMachine(run)]),
        ],
    };

    private static IEnumerable<KeyValuePair<string, string>> Adapter(TrainingRun training, string model)
    {
        var config = training.Config;
        yield return new("model", model);
        if ((string?)config["base_model_name_or_path"] is { } name && name != model)
            yield return new("base", name);
        foreach (var fact in AdapterFacts.Of(config, training.Peft))
            yield return fact;
        var share = training.Job.Total is { } total and > 0
            ? string.Create(CultureInfo.InvariantCulture, $" of {total:N0}, {100.0 * training.Job.Trainable / total:F4} %")
            : "";
        yield return new("trainable parameters", Human.Count(training.Job.Trainable) + share);
    }

    private static IEnumerable<KeyValuePair<string, string>> Settings(TrainingRun training)
    {
        var given = training.Arguments;
        yield return new("steps", Human.Count(training.Trainer.TotalSteps));
        if (given.MaxSteps is null)
            yield return new("epochs", Human.Plain(given.Epochs));
        yield return new("batch size", Human.Count(given.BatchSize));
        if (given.Processes.Size > 1)
            yield return new("processes, each with a batch", Human.Count(given.Processes.Size));
        if (given.GradientAccumulation > 1)
            yield return new("gradient accumulation", Human.Count(given.GradientAccumulation));
        if (given.PackLength is { } pack)
            yield return new("pack length", Human.Count(pack));
        yield return new("learning rate", Human.Plain(given.LearningRate));
        var settings = given.ScheduleSettings.Select(static s => $"{s.Key}={s.Value}").Order(StringComparer.Ordinal);
        yield return new("schedule", string.Join(", ", settings.Prepend(given.Schedule)));
        yield return new("warm-up steps", Human.Count(given.WarmupSteps));
        yield return new("optimizer", given.Optimizer.Name);
        yield return new("weight decay", Human.Plain(given.Optimizer.WeightDecay));
        yield return new("gradient clipping", Human.Plain(given.Optimizer.MaxGradNorm));
        if (given.NeftuneNoiseAlpha is { } alpha)
            yield return new("noise on embeddings, α", Human.Plain(alpha));
        yield return new("seed", Human.Plain(given.Seed));
        yield return new("precision", given.Precision);
        if (training.Trainer.Memory is { } memory)
            yield return new("memory, estimated", Human.Bytes(memory.Total));
    }

    private static IEnumerable<KeyValuePair<string, string>> Rows(string name, IReadOnlyList<Example> rows)
    {
        if (rows.Count == 0)
            yield break;
        int[] lengths = [.. rows.Select(static row => row.Length).Order()];
        var (tokens, learned) = (lengths.Sum(static l => (long)l), rows.Sum(static row => (long)row.SupervisedTokens));
        yield return new(name, Human.Count(rows.Count));
        yield return new($"tokens of {name}", string.Create(
            CultureInfo.InvariantCulture, $"{tokens:N0}, {learned:N0} learned ({100.0 * learned / Math.Max(tokens, 1):F1} %)"));
        yield return new($"lengths of {name}",
            $"{Human.Count(lengths[0])} to {Human.Count(lengths[^1])} tokens, half of them up to "
            + Human.Count(lengths[lengths.Length / 2]));
    }

    private static IEnumerable<KeyValuePair<string, string>> OfMachine(Invocation run)
    {
        yield return new(RunFacts.Begun, run.Host.Clock.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        yield return new("ortpeft", VersionLine.Version);
        yield return new("ONNX Runtime", OrtEnv.Instance().GetVersionString());
        yield return new(".NET", Environment.Version.ToString());
        yield return new("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}");
        yield return new("processors", Human.Count(Environment.ProcessorCount));
        yield return new("provider", run.Runtime.Provider);
        if (run.Runtime.Threads is > 0 and var threads)
            yield return new("threads", Human.Count(threads));
    }
}

using System.Globalization;
using OrtPeft.Artifacts;
using OrtPeft.Tensors;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Subjects;

namespace OrtPeft.Training;

/// <summary>Ranges of <see cref="TrainingArguments"/>, and which of them make a run what it is.</summary>
internal static class ArgumentsCheck
{
    private const string Constant = "constant";

    public static void Validate(TrainingArguments arguments)
    {
        SettingException.ThrowIfBelow(arguments.BatchSize, 1, nameof(arguments.BatchSize));
        SettingException.ThrowIfBelow(arguments.PackLength ?? 1, 1, nameof(arguments.PackLength));
        SettingException.ThrowIfBelow(arguments.GradientAccumulation, 1, nameof(arguments.GradientAccumulation));
        SettingException.ThrowIfBelow(arguments.MaxSteps ?? 1, 1, nameof(arguments.MaxSteps));
        SettingException.ThrowIfBelow(arguments.MicroBatchTokens, 0, nameof(arguments.MicroBatchTokens));
        if (arguments.MemoryLimit is <= 0)
            throw new SettingException($"MemoryLimit is {arguments.MemoryLimit} bytes; it must be above 0.");
        SettingException.ThrowIfBelow(arguments.WarmupSteps, 0, nameof(arguments.WarmupSteps));
        SettingException.ThrowIfBelow(arguments.EvaluationSteps ?? 1, 1, nameof(arguments.EvaluationSteps));
        SettingException.ThrowIfBelow(arguments.CheckpointSteps ?? 1, 1, nameof(arguments.CheckpointSteps));
        SettingException.ThrowIfBelow(arguments.Patience ?? 1, 1, nameof(arguments.Patience));
        FromZero(arguments.MinDelta, nameof(arguments.MinDelta));
        if (EvaluationMetric.Find(arguments.BestMetric) is null)
        {
            throw new SettingException(
                $"BestMetric is '{arguments.BestMetric}'; it must be one of "
                + $"{string.Join(", ", EvaluationMetric.All.Select(static m => m.Name))}.");
        }

        if (arguments is { BestMetric: "token-accuracy", MeasureTokenAccuracy: false })
            throw new SettingException("BestMetric is token-accuracy, which MeasureTokenAccuracy leaves out; set it.");
        Above(arguments.Epochs, 0, nameof(arguments.Epochs));
        FromZero(arguments.LearningRate, nameof(arguments.LearningRate));
        Above(arguments.LoraPlusRatio, 0, nameof(arguments.LoraPlusRatio));
        FromZero(arguments.LoraPlusEmbeddingRate ?? 0, nameof(arguments.LoraPlusEmbeddingRate));
        foreach (var constant in arguments.Optimizer.Constants)
        {
            if (constant.IsDecay)
                BelowOne(constant.Value, constant.Name);
            else if (constant.IsAboveZero)
                Above(constant.Value, 0, constant.Name);
            else
                FromZero(constant.Value, constant.Name);
        }

        if (arguments.NeftuneNoiseAlpha is { } alpha)
            Above(alpha, 0, nameof(arguments.NeftuneNoiseAlpha));
        if (arguments is { Optimizer: ScheduleFreeAdamWConfig, Schedule: not Constant })
        {
            throw new SettingException(
                $"Schedule is '{arguments.Schedule}', and {arguments.Optimizer.Name} averages instead of letting the rate "
                + $"fall; it must be {Constant}.");
        }

        ProductPrecision.Resolve(arguments.Precision, arguments.Runtime);
        if (arguments.Resume && arguments.OutputFolder is null)
            throw new SettingException(
                "Resume needs the OutputFolder that holds the checkpoint.");
    }

    /// <summary>The settings that a resumed run must share with its first part: settings, the adapters' among them,
    /// data.</summary>
    public static IReadOnlyDictionary<string, string> Identity(
        TrainingArguments arguments, TrainingSubject subject, int totalSteps, ulong data)
    {
        var optimizer = subject.Optimizer;
        var settings = new (string Name, IFormattable Value)[]
        {
            ("batch-size", arguments.BatchSize * arguments.Processes.Size),
            ("grad-accum", arguments.GradientAccumulation),
            (RunIdentity.Steps, totalSteps),
            ("lr", arguments.LearningRate),
            ("loraplus-lr-ratio", arguments.LoraPlusRatio),
            ("warmup-steps", arguments.WarmupSteps),
            ("seed", arguments.Seed),
            ("data", data),
        };
        var identity = new Dictionary<string, string>(subject.Origin, StringComparer.Ordinal);
        foreach (var (name, value) in settings)
            identity[name] = value.ToString(null, CultureInfo.InvariantCulture);
        identity[RunIdentity.Optimizer] = optimizer.Name;
        foreach (var constant in optimizer.Constants)
            identity[constant.Key] = constant.Value.ToString(CultureInfo.InvariantCulture);
        identity["loraplus-lr-embedding"] =
            arguments.LoraPlusEmbeddingRate?.ToString(CultureInfo.InvariantCulture) ?? "none";
        identity["bias-decay"] = arguments.DecayBiasesAndNorms ? "yes" : "no";
        identity[RunIdentity.Noise] = arguments.NeftuneNoiseAlpha?.ToString(CultureInfo.InvariantCulture) ?? "none";
        identity[RunIdentity.Packing] = arguments.PackLength?.ToString(CultureInfo.InvariantCulture) ?? "none";
        identity[RunIdentity.Precision] = ProductPrecision.Resolve(arguments.Precision, arguments.Runtime);
        identity["schedule"] = string.Join(
            ' ',
            arguments.ScheduleSettings.OrderBy(static s => s.Key, StringComparer.Ordinal)
                .Select(static s => $"{s.Key}={s.Value}").Prepend(arguments.Schedule));
        identity["shuffle"] = arguments.Shuffle ? "yes" : "no";
        identity["base-dropout"] = subject.BaseDropout ? "yes" : "no";
        foreach (var (field, value) in subject.Adapters)
            identity[field] = value;
        return identity;
    }

    private static void BelowOne(double value, string setting)
    {
        if (value is not (>= 0 and < 1))
        {
            throw new SettingException(string.Create(
                CultureInfo.InvariantCulture, $"{setting} is {value}; it must be at least 0 and below 1."));
        }
    }

    private static void Above(double value, double bound, string setting)
    {
        if (!(value > bound) || !double.IsFinite(value))
            throw new SettingException(
                string.Create(CultureInfo.InvariantCulture, $"{setting} is {value}; it must be above {bound}."));
    }

    private static void FromZero(double value, string setting)
    {
        if (value < 0 || !double.IsFinite(value))
            throw new SettingException(
                string.Create(CultureInfo.InvariantCulture, $"{setting} is {value}; it must be at least 0."));
    }
}

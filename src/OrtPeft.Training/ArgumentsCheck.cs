using System.Globalization;
using OrtPeft.Tensors;
using OrtPeft.Training.Checkpoints;
using OrtPeft.Training.Subjects;

namespace OrtPeft.Training;

/// <summary>Ranges of <see cref="TrainingArguments"/>, and which of them make a run what it is.</summary>
internal static class ArgumentsCheck
{
    public static void Validate(TrainingArguments arguments)
    {
        SettingException.ThrowIfBelow(arguments.BatchSize, 1, "batch size");
        SettingException.ThrowIfBelow(arguments.PackLength ?? 1, 1, "length of a pack");
        SettingException.ThrowIfBelow(arguments.GradientAccumulation, 1, "gradient accumulation");
        SettingException.ThrowIfBelow(arguments.MaxSteps ?? 1, 1, "number of steps");
        SettingException.ThrowIfBelow(arguments.MicroBatchTokens, 0, "number of tokens in a micro-batch");
        if (arguments.MemoryLimit is <= 0)
            throw new SettingException($"The memory limit is {arguments.MemoryLimit} bytes; it must be above 0.");
        SettingException.ThrowIfBelow(arguments.WarmupSteps, 0, "number of warm-up steps");
        SettingException.ThrowIfBelow(arguments.EvaluationSteps ?? 1, 1, "number of steps between evaluations");
        SettingException.ThrowIfBelow(arguments.CheckpointSteps ?? 1, 1, "number of steps between checkpoints");
        Above(arguments.Epochs, 0, "number of epochs");
        FromZero(arguments.LearningRate, "learning rate");
        Above(arguments.LoraPlusRatio, 0, "learning rate ratio of LoRA+");
        FromZero(arguments.LoraPlusEmbeddingRate ?? 0, "learning rate of LoRA+ for embeddings");
        FromZero(arguments.Optimizer.WeightDecay, "weight decay");
        FromZero(arguments.Optimizer.MaxGradNorm, "largest gradient norm");
        BelowOne(arguments.Optimizer.Beta1, "decay of the first moment (beta1)");
        BelowOne(arguments.Optimizer.Beta2, "decay of the second moment (beta2)");
        FromZero(arguments.Optimizer.Epsilon, "epsilon");
        ProductPrecision.Resolve(arguments.Precision);
        if (arguments.Resume && arguments.OutputFolder is null)
            throw new SettingException(
                "Resuming needs the output folder that holds the checkpoint.");
    }

    /// <summary>What a resumed run shares with its first part: settings, the adapters' among them, data.</summary>
    public static IReadOnlyDictionary<string, string> Identity(
        TrainingArguments arguments, TrainingSubject subject, int totalSteps, ulong data)
    {
        var optimizer = subject.Optimizer;
        var settings = new (string Name, IFormattable Value)[]
        {
            ("batch-size", arguments.BatchSize),
            ("grad-accum", arguments.GradientAccumulation),
            ("steps", totalSteps),
            ("lr", arguments.LearningRate),
            ("loraplus-lr-ratio", arguments.LoraPlusRatio),
            ("warmup-steps", arguments.WarmupSteps),
            ("weight-decay", optimizer.WeightDecay),
            ("max-grad-norm", optimizer.MaxGradNorm),
            ("beta1", optimizer.Beta1),
            ("beta2", optimizer.Beta2),
            ("epsilon", optimizer.Epsilon),
            ("seed", arguments.Seed),
            ("data", data),
        };
        var identity = new Dictionary<string, string>(subject.Origin, StringComparer.Ordinal);
        foreach (var (name, value) in settings)
            identity[name] = value.ToString(null, CultureInfo.InvariantCulture);
        identity["loraplus-lr-embedding"] =
            arguments.LoraPlusEmbeddingRate?.ToString(CultureInfo.InvariantCulture) ?? "none";
        identity[RunIdentity.Packing] = arguments.PackLength?.ToString(CultureInfo.InvariantCulture) ?? "none";
        identity[RunIdentity.Precision] = ProductPrecision.Resolve(arguments.Precision);
        identity["schedule"] = arguments.Schedule;
        identity["shuffle"] = arguments.Shuffle ? "yes" : "no";
        identity["base-dropout"] = subject.BaseDropout ? "yes" : "no";
        foreach (var (field, value) in subject.Adapters)
            identity[field] = value;
        return identity;
    }

    private static void BelowOne(double value, string what)
    {
        if (value is not (>= 0 and < 1))
        {
            throw new SettingException(string.Create(
                CultureInfo.InvariantCulture, $"The {what} is {value}; it must be at least 0 and below 1."));
        }
    }

    private static void Above(double value, double bound, string what)
    {
        if (!(value > bound) || !double.IsFinite(value))
            throw new SettingException(
                string.Create(CultureInfo.InvariantCulture, $"The {what} is {value}; it must be above {bound}."));
    }

    private static void FromZero(double value, string what)
    {
        if (value < 0 || !double.IsFinite(value))
            throw new SettingException(
                string.Create(CultureInfo.InvariantCulture, $"The {what} is {value}; it must be at least 0."));
    }
}

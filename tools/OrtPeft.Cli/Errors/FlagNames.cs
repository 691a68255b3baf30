using System.Text.RegularExpressions;

namespace OrtPeft.Cli.Errors;

/// <summary>Says the option where a message of the libraries names the property that it sets.</summary>
internal static partial class FlagNames
{
    private static readonly Dictionary<string, string> Table = new(StringComparer.Ordinal)
    {
        ["BatchSize"] = "--batch-size",
        ["SequenceLength"] = "--seq-len",
        ["Overlong"] = "--overlong",
        ["ExampleReaderOptions.Names"] = "--map",
        ["Epochs"] = "--epochs",
        ["MaxSteps"] = "--steps",
        ["Steps"] = "--steps",
        ["Rounds"] = "--steps",
        ["WarmupSteps"] = "--warmup-steps",
        ["Schedule"] = "--schedule",
        ["ScheduleSettings"] = "--schedule-settings",
        ["NeftuneNoiseAlpha"] = "--neftune-noise-alpha",
        ["WarmupRounds"] = "--warmup-steps",
        ["GradientAccumulation"] = "--grad-accum",
        ["LearningRate"] = "--lr",
        ["LoraPlusRatio"] = "--loraplus-lr-ratio",
        ["LoraPlusEmbeddingRate"] = "--loraplus-lr-embedding",
        ["WeightDecay"] = "--weight-decay",
        ["MaxGradNorm"] = "--max-grad-norm",
        ["Momentum"] = "--momentum",
        ["Beta1"] = "--beta1",
        ["Beta2"] = "--beta2",
        ["Epsilon"] = "--epsilon",
        ["EvaluationSteps"] = "--eval-steps",
        ["Patience"] = "--patience",
        ["MinDelta"] = "--min-delta",
        ["BestMetric"] = "--metric",
        ["MeasureTokenAccuracy"] = "--metrics token-accuracy",
        ["CheckpointSteps"] = "--checkpoint-steps",
        ["MicroBatchTokens"] = "--micro-batch-tokens",
        ["Precision"] = "--precision",
        ["MemoryLimit"] = "--memory-limit",
        ["MaxNewTokens"] = "--max-new-tokens",
        ["Temperature"] = "--temperature",
        ["TopK"] = "--top-k",
        ["TopP"] = "--top-p",
        ["MinP"] = "--min-p",
        ["TypicalP"] = "--typical-p",
        ["RepetitionPenalty"] = "--repetition-penalty",
        ["PresencePenalty"] = "--presence-penalty",
        ["FrequencyPenalty"] = "--frequency-penalty",
        ["MaxBatch"] = "--max-batch",
        ["MaxQueue"] = "--queue",
        ["CacheMemory"] = "--cache-memory",
        ["PromptTokens"] = "--prompt-tokens",
        ["NewTokens"] = "--new-tokens",
        ["Provider"] = "--provider",
        ["merge into float32 (MergeForm.Float32)"] = "give --keep-float for a float32 model",
        ["take the mean of tensors"] = "give --tensors",
        ["train without resuming"] = "train without --resume",
        ["pass one to ExampleReader"] = "name its folder with --tokenizer",
    };

    /// <summary>The message with options in place of properties. A name of one word counts only where the message says
    /// what it is, or what is to be done with it: it may be any other word of a text.</summary>
    public static string In(string message) => Names().Replace(
        message, static m => Table.GetValueOrDefault(m.Value) ?? m.Value);

    [GeneratedRegex("take the mean of tensors|train without resuming|merge into float32 \\(MergeForm\\.Float32\\)|pass one to ExampleReader|ExampleReaderOptions\\.Names"
        + "|(?<![\\w./\\\\'\"-])(?:(?:[A-Z][a-z]+){2,}|(?:Top|Min|Typical)[KP])(?![\\w./\\\\'\"-])"
        + "|(?<![\\w./\\\\'\"-])[A-Z][a-z]+[12]?(?= is )|(?<= change )Overlong\\b")]
    private static partial Regex Names();
}

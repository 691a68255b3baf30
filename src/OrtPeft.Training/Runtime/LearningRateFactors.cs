using OrtPeft.Adapters;

namespace OrtPeft.Training.Runtime;

/// <summary>What multiplies the learning rate of each parameter: the method's own factor, and LoRA+'s.</summary>
internal static class LearningRateFactors
{
    private static readonly string[] FasterNames =
        [".lora_B.weight", ".lora_B.bias", ".lora_magnitude_vector", ".lora_embedding_B"];

    public static double Of(AdapterParameter parameter, TrainingArguments arguments) =>
        parameter.LearningRateFactor * (OfEmbedding(parameter, arguments) ?? OfLoraPlus(parameter, arguments));

    private static double? OfEmbedding(AdapterParameter parameter, TrainingArguments arguments)
    {
        var isOfEmbedding = parameter.Name.Contains(".lora_embedding_", StringComparison.Ordinal);
        return isOfEmbedding && arguments is { LoraPlusEmbeddingRate: { } rate, LearningRate: > 0 }
            ? rate / arguments.LearningRate
            : null;
    }

    private static double OfLoraPlus(AdapterParameter parameter, TrainingArguments arguments) =>
        FasterNames.Any(name => parameter.Name.EndsWith(name, StringComparison.Ordinal)) ? arguments.LoraPlusRatio : 1;
}

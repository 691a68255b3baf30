using OrtPeft.Adapters;

namespace OrtPeft.Training.Runtime;

/// <summary>
/// The factor on each parameter's learning rate: the method's own factor, and LoRA+'s. LoRA+ speeds up B and, as HF
/// PEFT does, whatever has one axis: biases, magnitudes, normalisation vectors.
/// </summary>
internal static class LearningRateFactors
{
    public static double Of(AdapterParameter parameter, TrainingArguments arguments) =>
        parameter.LearningRateFactor * (OfEmbedding(parameter, arguments) ?? OfLoraPlus(parameter, arguments));

    private static double? OfEmbedding(AdapterParameter parameter, TrainingArguments arguments)
    {
        var isOfEmbedding = parameter.Role is ParameterRole.EmbeddingA or ParameterRole.EmbeddingB;
        return isOfEmbedding && arguments is { LoraPlusEmbeddingRate: { } rate, LearningRate: > 0 }
            ? rate / arguments.LearningRate
            : null;
    }

    private static double OfLoraPlus(AdapterParameter parameter, TrainingArguments arguments)
    {
        var isB = parameter.Role is ParameterRole.LoraB or ParameterRole.EmbeddingB;
        return isB || parameter.Value.Initializer!.Dims.Length == 1 ? arguments.LoraPlusRatio : 1;
    }
}

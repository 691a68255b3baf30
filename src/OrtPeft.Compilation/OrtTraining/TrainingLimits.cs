using System.Globalization;
using OrtPeft.Adapters;
using OrtPeft.Compilation.Artifacts;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.OrtTraining;

/// <summary>Limits of the training API, checked before anything is built.</summary>
internal static class TrainingLimits
{
    public static void Check(PeftModel peft, ArtifactSettings options)
    {
        ArtifactLimits.RequireOneForm(peft);
        if (options.FoldedLearningRate is { } rate && !(rate > 0 && double.IsFinite(rate)))
        {
            throw new ConfigException(string.Create(
                CultureInfo.InvariantCulture, $"The learning rate to fold in is {rate}; it must be above 0."));
        }

        if (options.MasksLabels || options.LackedOperators.Count > 0)
        {
            throw new ConfigException(
                "The graphs are to suit an execution provider (MasksLabels, LackedOperators), and ONNX Runtime's training API "
                + "has the loss of its own; leave these out, or make artifacts for the runtime 'ort'.");
        }

        foreach (var parameter in peft.Parameters)
        {
            Check(parameter, options.LearningRateFactor(parameter));
            if (options.Optimizer.WeightDecay != 0 && options.IsExemptFromDecay(parameter))
            {
                throw new ConfigException(
                    $"'{parameter.Name}' is to be left out of weight decay, and ONNX Runtime's training API has one decay "
                    + "for all; use a decay of 0, or make artifacts for the runtime 'ort'.");
            }
        }
    }

    private static void Check(AdapterParameter parameter, double factor)
    {
        if (factor != 1)
        {
            throw new ConfigException(string.Create(
                CultureInfo.InvariantCulture,
                $"'{parameter.Name}' is to learn at {factor} times the rate, as LoRA+ has it, and ONNX Runtime's " +
                $"training API has one rate for all; use a ratio of 1, or make artifacts for the runtime 'ort'."));
        }

        if (parameter.Value.Type != ElementType.Float)
        {
            throw new ConfigException(
                $"'{parameter.Name}' is {parameter.Value.Type}; ONNX Runtime's training API trains float32 alone.");
        }
    }
}

using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;

namespace OrtPeft.Compilation.Artifacts;

/// <summary>Limits on what artifacts of every runtime can hold.</summary>
internal static class ArtifactLimits
{
    private const long LargestModel = int.MaxValue - (64L << 20);

    /// <summary>Refuses what a device cannot make an adapter of: several at once, and a start that files must
    /// hold.</summary>
    public static void RequireOneForm(PeftModel peft)
    {
        if (peft.Adapters.ActiveNames is { Count: > 1 } names)
        {
            throw new ConfigException(
                $"{string.Join(", ", names)} are active, and artifacts hold one adapter; choose it with "
                + "Adapters.Set().");
        }

        if (peft.Adapters.BaseWeightsOf(peft.Adapters.ActiveNames[0]).Keys.FirstOrDefault() is { } ofBase)
        {
            throw new ConfigException(
                $"'{ofBase}' takes the place of the base's and belongs to the adapter, which a device cannot write; "
                + "start from a base that has it.");
        }

        if (peft.IsSavedInAnotherForm && peft.Config is LoraConfig { InitLoraWeights: var init })
        {
            var start = init.IsRandomDecomposition ? "random start" : "start here is not HF PEFT's and";
            throw new ConfigException(
                $"init_lora_weights is '{init}', whose {start} has to be put into the trained weights, which a device "
                + "cannot; take pissa.");
        }
    }

    /// <summary>The bytes of a model's constants, which are refused where they are too many to embed.</summary>
    public static long FrozenBytes(Model training, bool mustEmbed)
    {
        var bytes = training.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);
        return !mustEmbed || bytes <= LargestModel ? bytes : throw new ConfigException(
            $"The frozen weights take {bytes} bytes, and an ONNX file holds less than 2 GiB; do not embed them.");
    }
}

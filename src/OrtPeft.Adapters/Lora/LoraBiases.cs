using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Lora;

/// <summary>The base's biases that train with LoRA, by the <c>bias</c> field, under HF PEFT's names.</summary>
internal static class LoraBiases
{
    public static IReadOnlyList<AdapterParameter> Select(
        Graph graph, LoraConfig config, IReadOnlyList<LinearModule> adapted) =>
        TrainedBiases.Select(graph, config.Bias, "lora_only", adapted, config.ModulesToSave);
}

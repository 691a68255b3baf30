using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Lora;

/// <summary>The base's biases that train with LoRA, by the <c>bias</c> field, under HF PEFT's names.</summary>
internal static class LoraBiases
{
    public static IReadOnlyList<AdapterParameter> Select(
        Graph graph, LoraConfig config, IReadOnlyList<LinearModule> adapted)
    {
        var ofAdapted = adapted.Where(static m => m.Bias is not null)
            .Select(static m => new AdapterParameter($"base_model.model.{m.Name}.base_layer.bias", m.Bias!)
            {
                IsOptional = true, // HF PEFT leaves the biases trained by bias="lora_only" out of its files
            })
            .ToList();
        return config.Bias switch
        {
            "none" => [],
            "lora_only" => ofAdapted,
            "all" => [.. ofAdapted, .. Others(graph, ofAdapted)],
            _ => throw new ConfigException($"bias is '{config.Bias}'; it must be none, all or lora_only."),
        };
    }

    private static IEnumerable<AdapterParameter> Others(Graph graph, List<AdapterParameter> ofAdapted)
    {
        var taken = ofAdapted.Select(static p => p.Value).ToHashSet();
        return VectorCatalogue.Vectors(graph).Where(v => v.Kind == "bias" && !taken.Contains(v.Value))
            .Select(static v => new AdapterParameter($"base_model.model.{v.Name}", v.Value));
    }
}

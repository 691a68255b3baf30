using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;
using OrtPeft.Models.Qwen2;

namespace OrtPeft.Models.QwenMoe;

/// <summary>Qwen3-MoE: Qwen3 with experts. Defaults are those of HF's <c>Qwen3MoeConfig</c>.</summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/qwen3_moe#transformers.Qwen3MoeConfig"/>
internal static class Qwen3MoeFamily
{
    private static readonly LlamaKind Kind = new()
    {
        ModelType = "qwen3_moe",
        Architecture = "Qwen3MoeForCausalLM",
        QueryKeyNorms = QueryKeyNorms.OfHeads,
        ReadOwn = static (fields, config) =>
        {
            LayerTypes.RequireFull(fields, config.Layers);
            fields.Know("max_window_layers");
            return LlamaKind.WithBiases(fields, config) with
            {
                Experts = ExpertFields.Read(fields, config.Layers, config.Experts!),
                SlidingWindow = LayerTypes.SizeInUse(fields) is { } size
                    ? new SlidingWindow(size, Enumerable.Range(0, config.Layers))
                    : null,
            };
        },
        WriteOwn = static (config, json) =>
        {
            json["attention_bias"] = config.HasInputBiases;
            ExpertFields.Write(config.Experts, config.Layers, json);
            json[LayerTypes.UseField] = config.SlidingWindow is not null;
            LayerTypes.WriteOfAll(config.SlidingWindow, json);
        },
    };

    public static LlamaConfig Defaults { get; } = Qwen2Family.Defaults with
    {
        Kind = Kind,
        HasInputBiases = false,
        HiddenSize = 2048,
        IntermediateSize = 6144,
        Layers = 24,
        KeyValueHeads = 4,
        Experts = new ExpertMixture { Count = 128, PerToken = 8, InnerSize = 768 },
    };
}

using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;
using OrtPeft.Models.Qwen2;

namespace OrtPeft.Models.QwenMoe;

/// <summary>
/// Qwen1.5-MoE and Qwen2-MoE: Qwen2 with experts, one of them for every token. Defaults are those of HF's
/// <c>Qwen2MoeConfig</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/qwen2_moe#transformers.Qwen2MoeConfig"/>
internal static class Qwen2MoeFamily
{
    private const string BiasField = "qkv_bias";

    private static readonly LlamaKind Kind = new()
    {
        ModelType = "qwen2_moe",
        Architecture = "Qwen2MoeForCausalLM",
        ReadOwn = static (fields, config) => config with
        {
            HasInputBiases = fields.Flag(BiasField, true),
            Experts = ExpertFields.Read(fields, config.Layers, config.Experts!),
            SlidingWindow = ReadWindow(fields, config.Layers),
        },
        WriteOwn = static (config, json) =>
        {
            json[BiasField] = config.HasInputBiases;
            ExpertFields.Write(config.Experts, config.Layers, json);
            Qwen2Family.WriteWindow(config, json);
        },
    };

    public static LlamaConfig Defaults { get; } = Qwen2Family.Defaults with
    {
        Kind = Kind,
        HiddenSize = 2048,
        IntermediateSize = 5632,
        Layers = 24,
        Heads = 16,
        KeyValueHeads = 16,
        Experts = new ExpertMixture { Count = 60, PerToken = 4, InnerSize = 1408, SharedInnerSize = 5632 },
    };

    /// <summary>Without <c>layer_types</c>, every second one of the first layers has the window.</summary>
    private static SlidingWindow? ReadWindow(ModelFields fields, int layers)
    {
        const int DefaultUntil = 28;
        var until = fields.Number("max_window_layers", DefaultUntil);
        var size = LayerTypes.SizeInUse(fields);
        return LayerTypes.Read(
            fields, layers, size, i => size is not null && i % 2 == 0 && i < until, $"{LayerTypes.UseField} is false");
    }
}

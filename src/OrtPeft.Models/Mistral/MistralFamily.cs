using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;

namespace OrtPeft.Models.Mistral;

/// <summary>
/// Mistral: built like Llama, with a window in all layers or in none. Defaults are those of HF's
/// <c>MistralConfig</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/mistral#transformers.MistralConfig"/>
internal static class MistralFamily
{
    private const int DefaultWindow = 4096;

    private static readonly LlamaKind Kind = new()
    {
        ModelType = "mistral",
        Architecture = "MistralForCausalLM",
        ReadOwn = static (fields, config) =>
        {
            fields.Know("layer_types"); // HF warns of it, and has the window in all layers nevertheless
            return config with { SlidingWindow = LayerTypes.ReadOfAll(fields, config.Layers, DefaultWindow) };
        },
        WriteOwn = static (config, json) => LayerTypes.WriteOfAll(config.SlidingWindow, json),
    };

    public static LlamaConfig Defaults { get; } = new()
    {
        Kind = Kind,
        Positions = 131072,
        IntermediateSize = 14336,
        KeyValueHeads = 8,
    };
}

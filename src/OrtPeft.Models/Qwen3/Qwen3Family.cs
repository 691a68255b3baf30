using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;
using OrtPeft.Models.Qwen2;

namespace OrtPeft.Models.Qwen3;

/// <summary>
/// Qwen3: built like Llama, with each head of queries and keys normalised. Defaults are those of HF's
/// <c>Qwen3Config</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/qwen3#transformers.Qwen3Config"/>
internal static class Qwen3Family
{
    private static readonly LlamaKind Kind = new()
    {
        ModelType = "qwen3",
        Architecture = "Qwen3ForCausalLM",
        QueryKeyNorms = QueryKeyNorms.OfHeads,
        ReadOwn = static (fields, config) => LlamaKind.WithBiases(fields, config) with
        {
            SlidingWindow = LayerTypes.ReadFrom(fields, config.Layers),
        },
        WriteOwn = static (config, json) =>
        {
            json["attention_bias"] = config.HasInputBiases;
            Qwen2Family.WriteWindow(config, json);
        },
    };

    public static LlamaConfig Defaults { get; } = Qwen2Family.Defaults with
    {
        Kind = Kind,
        HeadDim = 128,
        HasInputBiases = false,
    };
}

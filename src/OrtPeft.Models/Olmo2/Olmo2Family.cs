using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;

namespace OrtPeft.Models.Olmo2;

/// <summary>
/// OLMo 2: built like Llama, but normalises what attention and MLP add, and all heads of queries and keys together.
/// Defaults are those of HF's <c>Olmo2Config</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/olmo2#transformers.Olmo2Config"/>
internal static class Olmo2Family
{
    private static readonly LlamaKind Kind = new()
    {
        ModelType = "olmo2",
        Architecture = "Olmo2ForCausalLM",
        Norms = BlockNorms.After,
        QueryKeyNorms = QueryKeyNorms.OfAll,
        ReadOwn = static (fields, config) =>
        {
            LayerTypes.RequireFull(fields, config.Layers);
            return LlamaKind.WithBiases(fields, config);
        },
        WriteOwn = static (config, json) => json["attention_bias"] = config.HasInputBiases,
    };

    public static LlamaConfig Defaults { get; } = new()
    {
        Kind = Kind,
        VocabSize = 50304,
        RmsNormEpsilon = 1e-5f,
        BosTokenId = null,
        EosTokenId = 50279,
    };
}

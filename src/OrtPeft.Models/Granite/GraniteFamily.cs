using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;

namespace OrtPeft.Models.Granite;

/// <summary>
/// Granite: built like Llama, with multipliers of embeddings, scores, residuals and logits. Defaults are those of HF's
/// <c>GraniteConfig</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/granite#transformers.GraniteConfig"/>
internal static class GraniteFamily
{
    private const string Embedding = "embedding_multiplier";
    private const string Attention = "attention_multiplier";
    private const string Residual = "residual_multiplier";
    private const string Logits = "logits_scaling";

    private static readonly LlamaKind Kind = new()
    {
        ModelType = "granite",
        Architecture = "GraniteForCausalLM",
        ReadOwn = static (fields, config) => LlamaKind.Llama.ReadOwn(fields, config) with
        {
            EmbeddingMultiplier = fields.Number(Embedding, 1),
            ScoreMultiplier = fields.Number(Attention, 1),
            ResidualMultiplier = fields.Number(Residual, 1),
            LogitsDivisor = fields.Number(Logits, 1),
        },
        WriteOwn = static (config, json) =>
        {
            LlamaKind.Llama.WriteOwn(config, json);
            json[Embedding] = ConfigText.Exact(config.EmbeddingMultiplier);
            json[Attention] = ConfigText.Exact((float)(config.ScoreMultiplier ?? 1));
            json[Residual] = ConfigText.Exact(config.ResidualMultiplier);
            json[Logits] = ConfigText.Exact(config.LogitsDivisor);
        },
    };

    public static LlamaConfig Defaults { get; } = new() { Kind = Kind, ScoreMultiplier = 1 };
}

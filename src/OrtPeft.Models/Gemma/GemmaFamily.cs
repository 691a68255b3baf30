using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;

namespace OrtPeft.Models.Gemma;

/// <summary>
/// The first Gemma: built like Llama, with 1 added to the weights of norms and embeddings times the square root of
/// their width. Defaults are those of HF's <c>GemmaConfig</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/gemma#transformers.GemmaConfig"/>
internal static class GemmaFamily
{
    private static readonly LlamaKind Kind = new()
    {
        ModelType = "gemma",
        Architecture = "GemmaForCausalLM",
        NormOffset = 1,
        ReadOwn = static (fields, config) =>
        {
            fields.Know("hidden_activation"); // HF 5 reads hidden_act
            LayerTypes.RequireFull(fields, config.Layers);
            return ReadShared(fields, config);
        },
        WriteOwn = WriteShared,
    };

    public static LlamaConfig Defaults { get; } = new()
    {
        Kind = Kind,
        VocabSize = 256000,
        HiddenSize = 3072,
        IntermediateSize = 24576,
        Layers = 28,
        Heads = 16,
        KeyValueHeads = 16,
        HeadDim = 256,
        Activation = "gelu_pytorch_tanh",
        Positions = 8192,
        TieWordEmbeddings = true,
        BosTokenId = 2,
        EosTokenId = 1,
    };

    /// <summary>Reads what all Gemmas have.</summary>
    public static LlamaConfig ReadShared(ModelFields fields, LlamaConfig config)
    {
        fields.RefuseWhereSet("use_bidirectional_attention", "false: attention to later tokens cannot be built");
        return LlamaKind.WithBiases(fields, config) with { EmbeddingMultiplier = MathF.Sqrt(config.HiddenSize) };
    }

    /// <summary>Writes it.</summary>
    public static void WriteShared(LlamaConfig config, JsonObject json) =>
        json["attention_bias"] = config.HasInputBiases;
}

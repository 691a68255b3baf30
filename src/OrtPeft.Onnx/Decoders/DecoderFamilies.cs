using System.Collections.Immutable;

namespace OrtPeft.Onnx.Decoders;

/// <summary>The families of decoders whose names are known, and what is asked of all of them.</summary>
internal static class DecoderFamilies
{
    /// <summary>HF's name for the head in nearly every causal language model.</summary>
    public const string Head = "lm_head";

    private const string Weight = ".weight";

    /// <summary>The rows. Where several fit, the first counts.</summary>
    public static ImmutableArray<DecoderFamily> All { get; } =
    [
        new() // GPT-2
        {
            Layers = "transformer.h",
            IsClearWithoutRoot = true,
            Query = "attn.c_attn",
            Key = "attn.c_attn",
            Value = "attn.c_attn",
            AttentionOutput = "attn.c_proj",
            MlpInputs = ["mlp.c_fc"],
            MlpOutput = "mlp.c_proj",
            AttentionNorm = "ln_1",
            MlpNorm = "ln_2",
            FinalNorm = "transformer.ln_f",
            TokenEmbedding = "transformer.wte",
            PositionEmbedding = "transformer.wpe",
            ScaledByIa3 = ["c_attn", "mlp.c_proj"],
        },
        new() // Llama, Mistral, Qwen, Gemma
        {
            Layers = "model.layers",
            Query = "self_attn.q_proj",
            Key = "self_attn.k_proj",
            Value = "self_attn.v_proj",
            AttentionOutput = "self_attn.o_proj",
            MlpInputs = ["mlp.gate_proj", "mlp.up_proj"],
            MlpOutput = "mlp.down_proj",
            AttentionNorm = "input_layernorm",
            MlpNorm = "post_attention_layernorm",
            FinalNorm = "model.norm",
            TokenEmbedding = "model.embed_tokens",
            OtherTokenEmbedding = "tok_embeddings",
            ScaledByIa3 = ["k_proj", "v_proj", "down_proj"],
        },
        new() // GPT-NeoX
        {
            Layers = "gpt_neox.layers",
            Query = "attention.query_key_value",
            Key = "attention.query_key_value",
            Value = "attention.query_key_value",
            AttentionOutput = "attention.dense",
            MlpInputs = ["mlp.dense_h_to_4h"],
            MlpOutput = "mlp.dense_4h_to_h",
            AttentionNorm = "input_layernorm",
            MlpNorm = "post_attention_layernorm",
            FinalNorm = "gpt_neox.final_layer_norm",
            TokenEmbedding = "gpt_neox.embed_in",
            Head = "embed_out",
            ScaledByIa3 = ["query_key_value", "dense_4h_to_h"],
        },
        new() // BLOOM
        {
            Layers = "transformer.h",
            Query = "self_attention.query_key_value",
            Key = "self_attention.query_key_value",
            Value = "self_attention.query_key_value",
            AttentionOutput = "self_attention.dense",
            MlpInputs = ["mlp.dense_h_to_4h"],
            MlpOutput = "mlp.dense_4h_to_h",
            AttentionNorm = "input_layernorm",
            MlpNorm = "post_attention_layernorm",
            FinalNorm = "transformer.ln_f",
            TokenEmbedding = "transformer.word_embeddings",
            ScaledByIa3 = ["query_key_value", "dense_4h_to_h"],
        },
        new() // OPT: the smallest but one normalises after its layers; the table of positions has two more rows
        {
            Layers = "model.decoder.layers",
            Query = "self_attn.q_proj",
            Key = "self_attn.k_proj",
            Value = "self_attn.v_proj",
            AttentionOutput = "self_attn.out_proj",
            MlpInputs = ["fc1"],
            MlpOutput = "fc2",
            TokenEmbedding = "model.decoder.embed_tokens",
            OtherHead = "output_projection",
        },
        new() // GPT-J: attention and MLP read the same normalisation
        {
            Layers = "transformer.h",
            Query = "attn.q_proj",
            Key = "attn.k_proj",
            Value = "attn.v_proj",
            AttentionOutput = "attn.out_proj",
            MlpInputs = ["mlp.fc_in"],
            MlpOutput = "mlp.fc_out",
            AttentionNorm = "ln_1",
            MlpNorm = "ln_1",
            FinalNorm = "transformer.ln_f",
            TokenEmbedding = "transformer.wte",
        },
        new() // GPT-Neo
        {
            Layers = "transformer.h",
            Query = "attn.attention.q_proj",
            Key = "attn.attention.k_proj",
            Value = "attn.attention.v_proj",
            AttentionOutput = "attn.attention.out_proj",
            MlpInputs = ["mlp.c_fc"],
            MlpOutput = "mlp.c_proj",
            AttentionNorm = "ln_1",
            MlpNorm = "ln_2",
            FinalNorm = "transformer.ln_f",
            TokenEmbedding = "transformer.wte",
            PositionEmbedding = "transformer.wpe",
        },
    ];

    /// <summary>The family whose MLP has a gate, as experts of mixtures do.</summary>
    public static DecoderFamily Gated => All[1];

    /// <summary>The first family whose layers stand in a container of this name.</summary>
    /// <param name="container">Such as <c>h</c> or <c>layers</c>.</param>
    /// <returns>The family, or null.</returns>
    public static DecoderFamily? ByContainer(string container) =>
        All.FirstOrDefault(f => f.Container == container);

    /// <summary>The normalisation that a linear layer reads.</summary>
    /// <param name="layer">A layer's name, such as <c>transformer.h.3.attn.c_attn</c>.</param>
    /// <returns>Such as <c>transformer.h.3.ln_1</c>, or null where no family tells.</returns>
    public static string? NormBefore(string layer) =>
        All.Select(f => f.NormBefore(layer)).FirstOrDefault(static norm => norm is not null);

    /// <summary>Whether a module's name ends as a family's table of tokens.</summary>
    /// <param name="module">The name, from any root.</param>
    /// <returns>Whether it does.</returns>
    public static bool IsTokenEmbedding(string module) =>
        All.Any(f => Last(module) == Last(f.TokenEmbedding) || Last(module) == f.OtherTokenEmbedding);

    /// <summary>Whether a module is named as GPT-2's layers are, which HF stores [in, out], as Conv1D.</summary>
    /// <param name="module">The name, from any root.</param>
    /// <returns>Whether it is.</returns>
    public static bool IsConv1D(string module)
    {
        var gpt2 = All[0];
        string[] layers = [gpt2.Query, gpt2.AttentionOutput, .. gpt2.MlpInputs, gpt2.MlpOutput];
        return Last(module) == "q_attn" || layers.Any(layer => Last(layer) == Last(module));
    }

    /// <summary>Whether a module's name ends as a family's head.</summary>
    /// <param name="module">The name, from any root.</param>
    /// <returns>Whether it does.</returns>
    public static bool IsHead(string module) => All.Any(f => Last(module) == f.Head || Last(module) == f.OtherHead);

    /// <summary>Whether a parameter is a family's table with a row for each position.</summary>
    /// <param name="parameter">Its name, from any root.</param>
    /// <returns>Whether it is.</returns>
    public static bool IsPositionEmbedding(string parameter)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        return All.Any(f => f.PositionEmbedding is { } table
            && parameter.EndsWith($".{Last(table)}{Weight}", StringComparison.Ordinal));
    }

    /// <summary>The last name of a path.</summary>
    internal static string Last(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path[(path.LastIndexOf('.') + 1)..];
    }
}

using OrtPeft.Tensors;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>The metadata of an architecture that is read, or that changes nothing of what a decoder computes. The rest is
/// refused where it is set.</summary>
/// <seealso href="https://github.com/ggml-org/llama.cpp/blob/master/src/llama-arch.cpp">llama.cpp's keys.</seealso>
internal static class GgufKeys
{
    private const string FineTuned = "rope.scaling.finetuned";

    private static readonly string[] Read =
    [
        "attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.layer_norm_rms_epsilon",
        "attention.sliding_window", "attention.value_length", "attn_logit_softcapping", "block_count", "context_length",
        "embedding_length", "expert_count", "feed_forward_length", "final_logit_softcapping", "rope.dimension_count",
        "rope.freq_base", "rope.scale_linear", "rope.scaling.attn_factor", "rope.scaling.factor",
        "rope.scaling.original_context_length", "rope.scaling.type", "rope.scaling.yarn_beta_fast",
        "rope.scaling.yarn_beta_slow", "vocab_size",
    ];

    private static readonly string[] OfGemma3 = ["attention.sliding_window_pattern", "rope.freq_base_swa"];

    private static readonly string[] OfGranite = ["attention.scale", "embedding_scale", "logit_scale", "residual_scale"];

    private static readonly string[] OfExperts =
        ["expert_feed_forward_length", "expert_shared_feed_forward_length", "expert_used_count"];

    /// <summary>Of files and tasks; a norm's other epsilon is not asked for where all norms are RMSNorm.</summary>
    private static readonly string[] Harmless =
    [
        "attention.layer_norm_epsilon", "classifier.output_labels", "pooling_type", FineTuned,
        "tensor_data_layout",
    ];

    /// <summary>The values that llama.cpp takes where a file does not say.</summary>
    private static readonly (string Name, double Value)[] Defaults =
        [("attention.causal", 1), ("rope.scaling.yarn_attn_factor", 1), ("rope.scaling.yarn_ext_factor", 1)];

    /// <summary>Refuses what is set and not known.</summary>
    /// <exception cref="OnnxFormatException">A key is.</exception>
    public static void RefuseUnknown(GgufFields fields)
    {
        var own = fields.Architecture switch
        {
            "gemma3" => OfGemma3,
            "granite" => OfGranite,
            _ when fields.Count(fields.Own("expert_count")) is not null => OfExperts,
            _ => (string[])[],
        };
        if (fields.Architecture == "granite" && fields.Flag(fields.Own(FineTuned)) == false)
            throw fields.Refused($"{fields.Own(FineTuned)} is false: the heads do not turn, which is not read; take HF's folder");
        foreach (var name in fields.OwnNames)
        {
            var key = fields.Own(name);
            var isKnown = Defaults.Any(d => d.Name == name)
                ? Defaults.Contains((name, fields.NumberOrFlag(key) ?? double.NaN))
                : !fields.IsOn(key) || Read.Contains(name) || Harmless.Contains(name)
                    || own.Contains(name);
            if (!isKnown)
                throw fields.Refused($"has {key} {fields.Shown(key)}, which is not read and may change "
                    + "what the model computes; take HF's folder");
        }
    }
}

using System.Collections.Frozen;

namespace OrtPeft.Models.Configuration;

/// <summary>
/// Fields of a <c>config.json</c> that change nothing of what a decoder computes: those of HF's
/// <c>PreTrainedConfig</c> and <c>GenerationConfig</c>, of training, of tokenizers, and notes of tools. The rest is
/// read, or refused where it is set.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/main_classes/configuration"/>
internal static class HarmlessFields
{
    private static readonly string[] Prefixes = ["_", "summary_", "tokenizer_", "unsloth_"];

    private static readonly string[] Suffixes =
    [
        "_token", "_token_id", "_token_ids", "_token_index", "_dropout", "_dropout_prob", "_pdrop", "_version",
    ];

    private static readonly string[] Model =
    [
        "architectures", "attention_implementation", "attn_implementation", "auto_map", "base_model_pp_plan",
        "base_model_tp_plan", "chunk_size_feed_forward", "dtype", "finetuning_task", "id2label", "is_decoder",
        "keys_to_ignore_at_inference", "label2id", "model_type", "n_ctx", "n_special", "name_or_path", "num_labels",
        "output_attentions", "output_hidden_states", "output_past", "predict_special_tokens", "prefix",
        "pretraining_tp", "problem_type", "return_dict", "task_specific_params", "tf_legacy_loss", "torch_dtype",
        "torchscript", "use_bfloat16", "use_cache", "use_return_dict",
    ];

    private static readonly string[] Generation =
    [
        "bad_words_ids", "begin_suppress_tokens", "cache_config", "cache_implementation", "constraints",
        "diversity_penalty", "do_sample", "early_stopping", "encoder_no_repeat_ngram_size",
        "encoder_repetition_penalty", "epsilon_cutoff", "eta_cutoff", "exponential_decay_length_penalty",
        "force_words_ids", "forced_decoder_ids", "guidance_scale", "length_penalty", "low_memory", "max_length",
        "max_new_tokens", "max_time", "min_length", "min_new_tokens", "min_p", "no_repeat_ngram_size",
        "num_beam_groups", "num_beams", "num_return_sequences", "output_logits", "output_scores", "penalty_alpha",
        "remove_invalid_values", "renormalize_logits", "repetition_penalty", "return_dict_in_generate",
        "sequence_bias", "stop_strings", "suppress_tokens", "temperature", "top_k", "top_p", "typical_p",
    ];

    private static readonly string[] Tokens =
    [
        "max_seq_len", "max_seq_length", "max_sequence_length", "model_max_length", "pad_id", "padding_side",
        "seq_len", "seq_length",
    ];

    private static readonly string[] Training =
    [
        "dropout", "flash_attention", "gradient_checkpointing", "neftune_noise_alpha", "use_flash_attention",
        "use_flash_attention_2", "use_flash_attn", "use_flashattn", "use_sdpa",
    ];

    private static readonly string[] Tools =
    [
        "base_model", "custom_pipelines", "datasets", "finetuned_from", "is_llama_config", "language", "license", "model_name", "tags",
        "transformers.js_config",
    ];

    private static readonly FrozenSet<string> Names =
        FrozenSet.Create(StringComparer.Ordinal, [.. Model, .. Generation, .. Tokens, .. Training, .. Tools]);

    public static bool Contains(string name) =>
        Names.Contains(name)
        || Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))
        || Suffixes.Any(suffix => name.EndsWith(suffix, StringComparison.Ordinal));
}

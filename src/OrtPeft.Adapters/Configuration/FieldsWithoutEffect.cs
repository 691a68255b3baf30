using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace OrtPeft.Adapters.Configuration;

/// <summary>
/// Fields that other libraries write and that say nothing about what a trained adapter computes: who wrote it, how it
/// started, what goes with a switch that is off, or what is refused with any value but one.
/// </summary>
internal static class FieldsWithoutEffect
{
    private static readonly FrozenSet<string> Names = FrozenSet.Create(
        StringComparer.Ordinal,
        [
            // HF PEFT, all methods
            "auto_mapping", "peft_version",
            // HF PEFT's LoRA: starts, devices, and settings of what is refused when it is on
            "corda_config", "loftq_config", "lora_ga_config", "megatron_config", "megatron_core",
            "qalora_group_size", "runtime_config",
            // HF PEFT's VeLoRA: how the gradient of A is computed; what it trained is a plain LoRA
            "velora_config",
            // HF PEFT's prompts
            "tokenizer_kwargs",
            // the adapters library's bottlenecks: the start, and settings of what is refused when it is on
            "adapter_residual_before_ln", "architecture", "factorized_phm_W", "factorized_phm_rule",
            "hypercomplex_nonlinearity", "init_weights_seed", "inv_adapter_reduction_factor", "learn_phm",
            "original_ln_after", "phm_bias", "phm_c_init", "phm_dim", "phm_init_range", "phm_rank",
            "residual_before_ln",
            "shared_W_phm", "shared_phm_rule", "stochastic_depth",
        ]);

    /// <summary>The others of some fields, by name, but those that are null, false or empty.</summary>
    public static IReadOnlyList<string> Without(JsonObject fields) =>
        [.. fields.Where(static f => !IsOff(f.Value) && !Names.Contains(f.Key)).Select(static f => f.Key)];

    /// <summary>Whether a value switches nothing on: absent, null, false, or empty.</summary>
    public static bool IsOff(JsonNode? json) => json switch
    {
        null => true,
        JsonObject { Count: 0 } or JsonArray { Count: 0 } => true,
        JsonValue value when value.TryGetValue<bool>(out var flag) => !flag,
        _ => false,
    };
}

namespace OrtPeft.Adapters.Lora;

/// <summary>HF PEFT's LoRA fields beyond <see cref="LoraConfig"/>.</summary>
internal static class LoraFields
{
    /// <summary>
    /// Fields that, switched on, make another function of the same weights: refused rather than ignored.
    /// </summary>
    public static IReadOnlyList<string> ThatChangeTheMathematics { get; } =
    [
        "use_qalora", "use_bdlora", "layer_replication",
        "alora_invocation_tokens", "arrow_config", "kasa_config", "monteclora_config",
    ];
}

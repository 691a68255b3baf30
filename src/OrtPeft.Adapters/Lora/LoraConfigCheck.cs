using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lora.Initialization;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Lora;

/// <summary>The ranges of LoRA's fields, and which of them exclude each other.</summary>
internal static class LoraConfigCheck
{
    public static void Validate(LoraConfig config)
    {
        FieldRange.Ranks(config.R, config.RankPattern);
        FieldRange.Finite("lora_alpha", config.LoraAlpha);
        FieldRange.Dropout("lora_dropout", config.LoraDropout);
        TrainedBiases.Check(config.Bias, "lora_only");
        Combination(config, LoraInitialisers.Parse(config.InitLoraWeights).Row);
    }

    private static void Combination(LoraConfig config, string init)
    {
        if (config.LoraBias && config.UseDora)
            throw new ConfigException("lora_bias and use_dora are both true; DoRA has no bias in B: leave one out.");
        if (config.LoraBias && init is not ("true" or "false"))
            throw new ConfigException(
                $"lora_bias is true and init_lora_weights is '{init}'; a bias in B goes with true or false only.");
        var alphas = config.AlphaPattern.Select(static p => p.Value).Append(config.LoraAlpha);
        if (LoraInitialisers.TakeFromBase(config.InitLoraWeights) && alphas.Any(static a => a == 0))
            throw new ConfigException(
                $"lora_alpha is 0, so that nothing of the base can go into A and B; {init} needs another alpha.");
    }
}

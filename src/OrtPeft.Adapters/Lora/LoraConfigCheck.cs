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
        var init = LoraInitialisers.Parse(config.InitLoraWeights).Row;
        Combination(config, init);
        Parts(config, init);
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

    private static void Parts(LoraConfig config, string init)
    {
        if (config.EnableLora is not { } parts)
            return;
        if (!parts.Contains(true))
            throw new ConfigException(
                "enable_lora has no true in it, so that nothing would train; set it for at least one part.");
        if (config.LoraBias)
            throw new ConfigException("lora_bias and enable_lora are both given; parts have no bias: leave one out.");
        if (init is not ("true" or "false" or "gaussian"))
            throw new ConfigException(
                $"enable_lora is given and init_lora_weights is '{init}'; parts start with true, false or gaussian.");
    }
}

using System.Globalization;
using OrtPeft.Adapters.Lora.Initialization;

namespace OrtPeft.Adapters.Lora;

/// <summary>The ranges of LoRA's fields, and which of them exclude each other.</summary>
internal static class LoraConfigCheck
{
    private static readonly string[] Biases = ["none", "all", "lora_only"];

    public static void Validate(LoraConfig config)
    {
        foreach (var rank in config.RankPattern.Select(static p => p.Value).Append(config.R))
        {
            if (rank < 1)
                throw new ConfigException($"r (rank) is {rank}; it must be at least 1.");
        }

        if (!double.IsFinite(config.LoraAlpha))
            throw new ConfigException($"lora_alpha is {Text(config.LoraAlpha)}; it must be a finite number.");
        if (config.LoraDropout is not (>= 0 and < 1))
            throw new ConfigException(
                $"lora_dropout is {Text(config.LoraDropout)}; it must be at least 0 and below 1.");
        if (!Biases.Contains(config.Bias))
            throw new ConfigException($"bias is '{config.Bias}'; it must be one of {string.Join(", ", Biases)}.");
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

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}

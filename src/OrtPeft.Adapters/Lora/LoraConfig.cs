using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// Low-rank adaptation: y = x·W + bias + s·(dropout(x)·Aᵀ)·Bᵀ, where only A [r, in] and B [out, r] train.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2106.09685">Hu et al., LoRA, equation 3.</seealso>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/lora">HF PEFT's LoraConfig.</seealso>
public sealed record LoraConfig : TargetedConfig
{
    private static readonly string[] Biases = ["none", "all", "lora_only"];

    /// <inheritdoc/>
    public override string PeftType => "LORA";

    /// <summary>The rank r, at least 1. Default 8.</summary>
    public int R { get; init; } = 8;

    /// <summary>The scale is LoraAlpha / R, or LoraAlpha / √R with <see cref="UseRslora"/>. Default 8.</summary>
    public double LoraAlpha { get; init; } = 8;

    /// <summary>The probability, 0 to below 1, that a feature of x is dropped while training. Default 0.</summary>
    public double LoraDropout { get; init; }

    /// <summary>Which biases of the base train too: <c>none</c> (default), <c>all</c>, or <c>lora_only</c>.</summary>
    public string Bias { get; init; } = "none";

    /// <summary>Scale by 1/√r instead of 1/r. Default false.</summary>
    /// <seealso href="https://arxiv.org/abs/2312.03732">Kalajdzievski, rank-stabilised LoRA.</seealso>
    public bool UseRslora { get; init; }

    /// <summary>
    /// True (default): A uniform as Kaiming, B zero, so the model starts as the base. False: B random too.
    /// </summary>
    public bool InitLoraWeights { get; init; } = true;

    /// <summary>Ranks of single modules by a pattern for the end of their names; the first match counts.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern { get; init; } = [];

    /// <summary>Alphas of single modules, as <see cref="RankPattern"/>.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init; } = [];

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static LoraConfig FromFields(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var config = new LoraConfig
        {
            R = fields.Integer("r", 8),
            LoraAlpha = fields.Number("lora_alpha", 8),
            LoraDropout = fields.Number("lora_dropout", 0),
            Bias = fields.Text("bias", "none")!,
            UseRslora = fields.Flag("use_rslora", false),
            InitLoraWeights = fields.Flag("init_lora_weights", true),
            RankPattern = fields.Map<int>("rank_pattern"),
            AlphaPattern = fields.Map<double>("alpha_pattern"),
        };
        foreach (var field in LoraFields.ThatChangeTheMathematics)
            fields.Refuse(field, "take an adapter without it");
        config = WithTargets(config, fields);
        config.Validate();
        return config;
    }

    /// <summary>The scale s of one module.</summary>
    /// <param name="module">The module's name.</param>
    /// <returns>alpha / r or alpha / √r, patterns applied.</returns>
    public double ScaleOf(string module)
    {
        var alpha = TargetSelector.ByPattern(AlphaPattern, module, LoraAlpha);
        var r = RankOf(module);
        return UseRslora ? alpha / Math.Sqrt(r) : alpha / r;
    }

    /// <summary>The rank of one module.</summary>
    /// <param name="module">The module's name.</param>
    /// <returns>r, patterns applied.</returns>
    public int RankOf(string module) => TargetSelector.ByPattern(RankPattern, module, R);

    /// <summary>Checks every field's range.</summary>
    /// <exception cref="ConfigException">A field is out of range; the message names it.</exception>
    public void Validate()
    {
        foreach (var rank in RankPattern.Select(static p => p.Value).Append(R))
        {
            if (rank < 1)
                throw new ConfigException($"r (rank) is {rank}; it must be at least 1.");
        }

        if (!double.IsFinite(LoraAlpha))
            throw new ConfigException(
                $"lora_alpha is {LoraAlpha.ToString(CultureInfo.InvariantCulture)}; it must be a finite number.");
        if (LoraDropout is not (>= 0 and < 1))
            throw new ConfigException(
                $"lora_dropout is {LoraDropout.ToString(CultureInfo.InvariantCulture)}; it must be at least 0 and " +
                "below 1.");
        if (!Biases.Contains(Bias))
            throw new ConfigException($"bias is '{Bias}'; it must be one of {string.Join(", ", Biases)}.");
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        base.WriteFields(fields);
        fields["r"] = R;
        fields["lora_alpha"] = ConfigJson.Number(LoraAlpha);
        fields["lora_dropout"] = LoraDropout;
        fields["bias"] = Bias;
        fields["use_rslora"] = UseRslora;
        fields["use_dora"] = false;
        fields["init_lora_weights"] = InitLoraWeights;
        fields["rank_pattern"] = new JsonObject(
            RankPattern.Select(static p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value)));
        fields["alpha_pattern"] = ConfigJson.Numbers(AlphaPattern);
        fields["modules_to_save"] = null;
    }
}

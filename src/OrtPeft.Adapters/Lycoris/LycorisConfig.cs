using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Lycoris;

/// <summary>
/// The common part of LoHa and LoKr, with the fields of HF PEFT's LycorisConfig: y = x·W + bias + m ⊙ s·x·ΔWᵀ with s =
/// alpha / r, where ΔW [out, in] is made of small factors and m is 1 but for the two dropouts.
/// </summary>
/// <remarks>
/// HF PEFT adapts PyTorch's Linear with these methods and refuses GPT-2's Conv1D; here layers of both layouts are
/// adapted. ΔW is [out, in] in files, whatever the layout.
/// </remarks>
/// <seealso href="https://arxiv.org/abs/2309.14859">Yeh et al., LyCORIS.</seealso>
public abstract record LycorisConfig : TargetedConfig
{
    /// <summary>The options of these methods.</summary>
    internal static IReadOnlyList<MethodOption> Options { get; } =
    [
        SharedOptions.Rank("alpha"),
        SharedOptions.Alpha("alpha"),
        SharedOptions.Targets,
        SharedOptions.RankPattern,
        SharedOptions.AlphaPattern,
        SharedOptions.Layers,
    ];

    /// <summary>The rank r of the factors, at least 1. Default 8.</summary>
    public int R { get; init; } = 8;

    /// <summary>The scale is Alpha / R. Default 8.</summary>
    public double Alpha { get; init; } = 8;

    /// <summary>
    /// The probability, 0 to below 1, that an output feature of ΔW is dropped for a whole batch while training. Default
    /// 0.
    /// </summary>
    public double RankDropout { get; init; }

    /// <summary>
    /// The probability, 0 to below 1, that a layer's whole ΔW is dropped for a batch while training; what stays is not
    /// scaled up. Default 0.
    /// </summary>
    public double ModuleDropout { get; init; }

    /// <summary>Ranks of single modules by a pattern for the end of their names; the first match counts.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern { get; init; } = [];

    /// <summary>Alphas of single modules, as <see cref="RankPattern"/>.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init; } = [];

    /// <summary>HF PEFT's field for convolutions; kept, and without effect on linear layers. Default false.</summary>
    public bool UseEffectiveConv2d { get; init; }

    internal override IReadOnlyList<(string Field, IReadOnlyList<string> Patterns)> ModulePatterns =>
    [
        ("rank_pattern", [.. RankPattern.Select(static p => p.Key)]),
        ("alpha_pattern", [.. AlphaPattern.Select(static p => p.Key)]),
    ];

    /// <summary>The rank of one module.</summary>
    /// <param name="module">The module's name.</param>
    /// <returns>r, patterns applied.</returns>
    public int RankOf(string module) => TargetSelector.ByPattern(RankPattern, module, R);

    /// <summary>The scale s of one module.</summary>
    /// <param name="module">The module's name.</param>
    /// <returns>alpha / r, patterns applied.</returns>
    public double ScaleOf(string module) =>
        TargetSelector.ByPattern(AlphaPattern, module, Alpha) / RankOf(module);

    /// <summary>Checks every field's range.</summary>
    /// <exception cref="ConfigException">A field is out of range; the message names it.</exception>
    public virtual void Validate()
    {
        FieldRange.Ranks(R, RankPattern);
        foreach (var alpha in AlphaPattern.Select(static p => p.Value).Append(Alpha))
            FieldRange.Finite("alpha", alpha);
        FieldRange.Dropout("rank_dropout", RankDropout);
        FieldRange.Dropout("module_dropout", ModuleDropout);
    }

    /// <summary>Reads the shared fields. Call it last: what is unread by then is unknown.</summary>
    /// <typeparam name="T">The method's configuration.</typeparam>
    /// <param name="config">The configuration read so far.</param>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration with the shared fields, checked.</returns>
    protected static T WithLycoris<T>(T config, ConfigFields fields)
        where T : LycorisConfig
    {
        ArgumentNullException.ThrowIfNull(fields);
        fields.RefuseNull("r", "alpha");
        fields.Refuse("target_parameters", "take an adapter without it");
        var read = WithTargets(
            config with
            {
                R = fields.Integer("r", 8),
                Alpha = fields.Number("alpha", 8),
                RankDropout = fields.Number("rank_dropout", 0),
                ModuleDropout = fields.Number("module_dropout", 0),
                RankPattern = fields.Map<int>("rank_pattern"),
                AlphaPattern = fields.Map<double>("alpha_pattern"),
                UseEffectiveConv2d = fields.Flag("use_effective_conv2d", false),
            },
            fields);
        read.Validate();
        return read;
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        base.WriteFields(fields);
        fields.Remove("fan_in_fan_out"); // HF PEFT's LycorisConfig has no such field
        fields["r"] = R;
        fields["alpha"] = ConfigJson.Number(Alpha);
        fields["rank_dropout"] = RankDropout;
        fields["module_dropout"] = ModuleDropout;
        fields["use_effective_conv2d"] = UseEffectiveConv2d;
        fields["rank_pattern"] = ConfigJson.Numbers(RankPattern);
        fields["alpha_pattern"] = ConfigJson.Numbers(AlphaPattern);
    }
}

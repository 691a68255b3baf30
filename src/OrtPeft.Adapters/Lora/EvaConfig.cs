using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Adapters.Lora;

/// <summary>How <see cref="LoraInit.Eva"/> computes A and the ranks from data, with HF PEFT's fields.</summary>
/// <seealso href="https://arxiv.org/abs/2410.07170">Paischer et al., EVA, section 3.</seealso>
public sealed record EvaConfig
{
    /// <summary>
    /// ρ: a layer's rank may grow to ρ·r while the ranks' sum stays; 1 keeps every rank. At least 1, default 2.
    /// </summary>
    public double Rho { get; init; } = 2;

    /// <summary>
    /// τ: a layer is done when the cosine between its axes before and after a batch is at least this. 0..1, default
    /// 0.99.
    /// </summary>
    public double Tau { get; init; } = 0.99;

    /// <summary>Whether only positions with a label count. Default true.</summary>
    public bool UseLabelMask { get; init; } = true;

    /// <summary>The label that means none; only −100 (default) is supported.</summary>
    public int LabelMaskValue { get; init; } = DecoderLabels.Ignored;

    /// <summary>Whether axes are divided by their singular values. Default false.</summary>
    public bool Whiten { get; init; }

    /// <summary>
    /// Whether a layer's alpha changes with its rank, so that alpha / r stays. Default true.
    /// </summary>
    public bool AdjustScalingFactors { get; init; } = true;

    internal static EvaConfig? FromJson(JsonNode? json)
    {
        if (json is null)
            return null;
        if (json is not JsonObject written)
            throw new ConfigException($"eva_config is {json.ToJsonString()}; it must be an object.");
        var fields = new ConfigFields(written, "eva_config");
        var config = new EvaConfig
        {
            Rho = fields.Number("rho", 2),
            Tau = fields.Number("tau", 0.99),
            UseLabelMask = fields.Flag("use_label_mask", true),
            LabelMaskValue = fields.Integer("label_mask_value", DecoderLabels.Ignored),
            Whiten = fields.Flag("whiten", false),
            AdjustScalingFactors = fields.Flag("adjust_scaling_factors", true),
        };
        config.Validate();
        return config;
    }

    internal void Validate()
    {
        FieldRange.Require(Rho >= 1 && double.IsFinite(Rho), "eva_config: rho", Rho, "at least 1");
        FieldRange.Require(Tau is >= 0 and <= 1, "eva_config: tau", Tau, "between 0 and 1");
        if (LabelMaskValue != DecoderLabels.Ignored)
        {
            throw new ConfigException(
                $"eva_config: label_mask_value is {LabelMaskValue}; only {DecoderLabels.Ignored} is supported.");
        }
    }

    internal JsonObject ToJson() => new()
    {
        ["adjust_scaling_factors"] = AdjustScalingFactors,
        ["label_mask_value"] = LabelMaskValue,
        ["rho"] = Rho,
        ["tau"] = Tau,
        ["use_label_mask"] = UseLabelMask,
        ["whiten"] = Whiten,
    };
}

using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lycoris;

namespace OrtPeft.Adapters.Loha;

/// <summary>
/// LoHa: ΔW = (w1_a·w1_b) ⊙ (w2_a·w2_b), an elementwise product of two matrices of rank r, so of rank up to r².
/// w1_a and w2_a are [out, r], w1_b and w2_b [r, in].
/// </summary>
/// <seealso href="https://arxiv.org/abs/2108.06098">Hyeon-Woo et al., FedPara, proposition 1.</seealso>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/loha">HF PEFT's LoHaConfig.</seealso>
public sealed record LohaConfig : LycorisConfig
{
    /// <inheritdoc/>
    public override string PeftType => "LOHA";

    /// <inheritdoc/>
    public override string? WhyNotBesideOthers => WhyAlone();

    internal override string? WhyMoreThanAddition => null;

    /// <summary>
    /// True (default): all factors uniform as Kaiming but w2_b zero, so the model starts as the base. False: w2_b
    /// random too.
    /// </summary>
    public bool InitWeights { get; init; } = true;

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported, such as ABBA's <c>init_weights</c>,
    /// <c>r2</c> and <c>use_khatri_rao</c> scaling; the message names it.</exception>
    public static LohaConfig FromFields(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        fields.Refuse("r2", "take an adapter with one rank for both products");
        var scalesApart = fields.Json("use_khatri_rao") is JsonValue value && value.TryGetValue<bool>(out var on) && on;
        if (scalesApart)
            throw new ConfigException(
                "use_khatri_rao is true, which scales the two products by alpha/√r each; only alpha/r is supported.");
        return WithLycoris(new LohaConfig { InitWeights = fields.Flag("init_weights", true) }, fields);
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        base.WriteFields(fields);
        fields["init_weights"] = InitWeights;
    }
}

using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Modules;

namespace OrtPeft.Adapters.Vera;

/// <summary>
/// VeRA: y = x·W + bias + b ⊙ (B·(d ⊙ (A·x))), where A [r, in] and B [out, r] are random, frozen and shared by all
/// layers, and only the vectors d [r] and b [out] of each layer train.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2310.11454">Kopiczko et al., VeRA, equation 2.</seealso>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/vera">HF PEFT's VeraConfig.</seealso>
public sealed record VeraConfig : TargetedConfig
{
    /// <inheritdoc/>
    public override string PeftType => "VERA";

    /// <inheritdoc/>
    public override IReadOnlyList<string> SavedConstants => [VeraProjections.NameOfA, VeraProjections.NameOfB];

    /// <inheritdoc/>
    public override string? WhyNotBesideOthers => WhyAlone(Bias);

    internal override string? WhyMoreThanAddition => null;

    /// <summary>The rank r of the shared projections, at least 1. Default 256: they do not train.</summary>
    public int R { get; init; } = 256;

    /// <summary>
    /// Fixes the random projections of a fresh adapter. The numbers are OrtPeft's own, not those that PyTorch's
    /// generator makes of the same key. Default 0.
    /// </summary>
    public int ProjectionPrngKey { get; init; }

    /// <summary>The probability, 0 to below 1, that a feature of x is dropped while training. Default 0.</summary>
    public double VeraDropout { get; init; }

    /// <summary>The initial value of all elements of d. Default 0.1.</summary>
    public double DInitial { get; init; } = 0.1;

    /// <summary>The biases of the base that train too: <c>none</c> (default), <c>all</c>, or
    /// <c>vera_only</c>.</summary>
    public string Bias { get; init; } = "none";

    /// <summary>
    /// True (default): b is zero, so the model starts as the base. False: b is one and d normal random.
    /// </summary>
    public bool InitWeights { get; init; } = true;

    internal override bool HasExcludeModules => false;

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static VeraConfig FromFields(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        if (!fields.Flag("save_projection", true))
            throw new ConfigException(
                "save_projection is false: such a file leaves out the random projections, which PyTorch's generator "
                + "makes again and nothing else can; save the adapter with save_projection true.");
        fields.RefuseNull("r");
        var config = new VeraConfig
        {
            R = fields.Integer("r", 256),
            ProjectionPrngKey = fields.Integer("projection_prng_key", 0),
            VeraDropout = fields.Number("vera_dropout", 0),
            DInitial = fields.Number("d_initial", 0.1),
            Bias = fields.Text("bias", "none")!,
            InitWeights = fields.Flag("init_weights", true),
        };
        config = WithTargets(config, fields);
        config.Validate();
        return config;
    }

    /// <inheritdoc/>
    /// <exception cref="ConfigException">The file lacks the projections.</exception>
    public override PeftConfig FittedTo(IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        foreach (var name in new[] { VeraProjections.NameOfA, VeraProjections.NameOfB })
        {
            if (!names.Contains(name))
                throw new ConfigException(
                    $"'{name}' is missing: the vectors mean nothing without the random projections they scale, which "
                    + "PyTorch's generator makes again and nothing else can; save it with save_projection true.");
        }

        return this;
    }

    /// <summary>Checks every field's range.</summary>
    /// <exception cref="ConfigException">A field is out of range; the message names it.</exception>
    public void Validate()
    {
        FieldRange.Ranks(R, []);
        FieldRange.Dropout("vera_dropout", VeraDropout);
        FieldRange.Finite("d_initial", DInitial);
        TrainedBiases.Check(Bias, "vera_only");
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        base.WriteFields(fields);
        fields["r"] = R;
        fields["projection_prng_key"] = ProjectionPrngKey;
        fields["save_projection"] = true;
        fields["vera_dropout"] = VeraDropout;
        fields["d_initial"] = DInitial;
        fields["bias"] = Bias;
        fields["init_weights"] = InitWeights;
    }
}

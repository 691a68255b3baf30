using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lycoris;

namespace OrtPeft.Adapters.Lokr;

/// <summary>
/// LoKr: ΔW = w1 ⊗ w2, a Kronecker product of w1 [a, c] and w2 [b, d] with out = a·b and in = c·d. w2 is a product of
/// two factors of rank r unless r is at least half its longer side; w1 likewise with <see cref="DecomposeBoth"/>.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2309.14859">Yeh et al., LyCORIS, section 3.3.</seealso>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/lokr">HF PEFT's LoKrConfig.</seealso>
public sealed record LokrConfig : LycorisConfig
{
    private const string LycorisWay = "lycoris";

    /// <inheritdoc/>
    public override string PeftType => "LOKR";

    /// <inheritdoc/>
    public override string? WhyNotBesideOthers => WhyAlone();

    internal override string? WhyMoreThanAddition => null;

    /// <summary>Whether w1 may be a product of two factors too. Default false.</summary>
    public bool DecomposeBoth { get; init; }

    /// <summary>
    /// The first length of a factorisation, where it divides the features; −1 (default) takes divisors near the root.
    /// </summary>
    public int DecomposeFactor { get; init; } = -1;

    /// <summary>Whether what rank dropout keeps is divided by the part that it kept. Default false.</summary>
    public bool RankDropoutScale { get; init; }

    /// <summary>True (default): the model starts as the base. False: all factors are random.</summary>
    public bool InitWeights { get; init; } = true;

    /// <summary>
    /// Whether the model starts as the base by a zero in w2 (<c>init_weights = "lycoris"</c>) rather than by one in w1.
    /// Default false.
    /// </summary>
    public bool InitAsLycoris { get; init; }

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static LokrConfig FromFields(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        var isLycoris = fields.Json("init_weights") is JsonValue value
            && value.TryGetValue<string>(out var way) && way == LycorisWay;
        var config = new LokrConfig
        {
            DecomposeBoth = fields.Flag("decompose_both", false),
            DecomposeFactor = fields.Integer("decompose_factor", -1),
            RankDropoutScale = fields.Flag("rank_dropout_scale", false),
            InitWeights = isLycoris || fields.Flag("init_weights", true),
            InitAsLycoris = isLycoris,
        };
        return WithLycoris(config, fields);
    }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        if (DecomposeFactor is not (-1 or > 0))
            throw new ConfigException($"decompose_factor is {DecomposeFactor}; it must be −1 or at least 1.");
    }

    /// <inheritdoc/>
    protected override void WriteFields(IDictionary<string, JsonNode?> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        base.WriteFields(fields);
        fields["decompose_both"] = DecomposeBoth;
        fields["decompose_factor"] = DecomposeFactor;
        fields["rank_dropout_scale"] = RankDropoutScale;
        fields["init_weights"] = InitAsLycoris ? LycorisWay : InitWeights;
    }
}

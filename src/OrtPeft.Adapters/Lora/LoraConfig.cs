using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lora.Initialization;
using OrtPeft.Adapters.Modules;
using OrtPeft.Adapters.TrainableTokens;
using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Lora;

/// <summary>
/// Low-rank adaptation: y = x·W + bias + s·(dropout(x)·Aᵀ)·Bᵀ, where only A [r, in] and B [out, r] train.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2106.09685">Hu et al., LoRA, equation 3.</seealso>
/// <seealso href="https://huggingface.co/docs/peft/package_reference/lora">HF PEFT's LoraConfig.</seealso>
public sealed record LoraConfig : TargetedConfig
{
    /// <inheritdoc/>
    public override string PeftType => "LORA";

    /// <inheritdoc/>
    public override string? WhyNotBesideOthers => WhyMoreThanAddition is { } reason
        ? LoraInitialisers.TakeFromBase(InitLoraWeights) && !UseDora ? $"{reason}; convert it with PlainLora.Of first" : reason
        : TargetParameters is not null
        ? "target_parameters adapts parameters, not modules"
        : TrainableTokenIndices is not null
        ? "trainable_token_indices replaces rows of the base's embedding"
        : WhyAlone(Bias);

    internal override string? WhyMoreThanAddition => UseDora
        ? "use_dora rescales what its layers make"
        : LoraInitialisers.TakeFromBase(InitLoraWeights)
        ? $"init_lora_weights '{InitLoraWeights}' takes its start out of the base"
        : null;

    /// <summary>The rank r, at least 1. Default 8.</summary>
    public int R { get; init; } = 8;

    /// <summary>The scale is LoraAlpha / R, or LoraAlpha / √R with <see cref="UseRslora"/>. Default 8.</summary>
    public double LoraAlpha { get; init; } = 8;

    /// <summary>The probability, 0 to below 1, that a feature of x is dropped while training. Default 0.</summary>
    public double LoraDropout { get; init; }

    /// <summary>The biases of the base that train too: <c>none</c> (default), <c>all</c>, or
    /// <c>lora_only</c>.</summary>
    public string Bias { get; init; } = "none";

    /// <summary>Scale by 1/√r instead of 1/r. Default false.</summary>
    /// <seealso href="https://arxiv.org/abs/2312.03732">Kalajdzievski, rank-stabilised LoRA.</seealso>
    public bool UseRslora { get; init; }

    /// <summary>
    /// How A and B start: true (default), false, or a name such as <c>pissa</c>; <see cref="LoraInit"/> lists them.
    /// </summary>
    public LoraInit InitLoraWeights { get; init; } = LoraInit.Kaiming;

    /// <summary>
    /// Weight-decomposed LoRA: the adapted weight's norm per output is replaced by a trained magnitude. Default false.
    /// </summary>
    /// <seealso href="https://arxiv.org/abs/2402.09353">Liu et al., DoRA, equation 5.</seealso>
    public bool UseDora { get; init; }

    /// <summary>Whether B has a bias of its own that trains, zero at first: y gains s·bias. Default false.</summary>
    public bool LoraBias { get; init; }

    /// <summary>
    /// For layers that make several things at once, as GPT-2's <c>c_attn</c> makes q, k and v: which of their equal
    /// parts are adapted, each with A and B of its own. [true, false, true] is q and v. A is then [r·n, in] and B
    /// [n·out/parts, r] for n times true. Null (default) adapts layers as one. HF PEFT dropped the field in version
    /// 0.3; <see cref="PlainLora"/> gives what it reads today.
    /// </summary>
    /// <seealso href="https://github.com/microsoft/LoRA">loralib's MergedLinear.</seealso>
    public IReadOnlyList<bool>? EnableLora { get; init; }

    /// <summary>
    /// Whether an embedding in <c>modules_to_save</c> and the head that is tied to it stay one matrix, which trains and
    /// is saved under both names; or, where one of the two is a target, have one A and B between them. Without effect where
    /// the model's are not tied, and where the names are not HF PEFT's for these, <c>embed_tokens</c> and
    /// <c>lm_head</c>. Default false.
    /// </summary>
    public bool EnsureWeightTying { get; init; }

    internal override bool EnsuresWeightTying => EnsureWeightTying;

    /// <summary>How <see cref="LoraInit.Eva"/> computes its start; null (default) takes the defaults.</summary>
    public EvaConfig? EvaConfig { get; init; }

    /// <summary>Ranks of single modules by a pattern for the end of their names; the first match counts.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> RankPattern { get; init; } = [];

    /// <summary>Alphas of single modules, as <see cref="RankPattern"/>.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> AlphaPattern { get; init; } = [];

    /// <summary>
    /// Parameters that are adapted by their own names or their ends, beside the modules: those that hold the matrices of
    /// all experts of a mixture, and linear layers' weights. Null (default) for none.
    /// </summary>
    public IReadOnlyList<string>? TargetParameters { get; init; }

    /// <summary>
    /// Tokens whose embeddings train as well, by new rows in the base's place; null (default) for none. A head tied to
    /// the embedding has the same rows.
    /// </summary>
    public TokenIndices? TrainableTokenIndices { get; init; }

    internal override IReadOnlyList<(string Field, IReadOnlyList<string> Patterns)> ModulePatterns =>
    [
        ("rank_pattern", [.. RankPattern.Select(static p => p.Key)]),
        ("alpha_pattern", [.. AlphaPattern.Select(static p => p.Key)]),
    ];

    internal override IReadOnlyList<string> AdaptedParameters(Graph graph) => Lora.TargetParameters.NamesOf(graph, this);

    internal override IReadOnlyList<string> Adaptable(Graph graph) =>
        [.. base.Adaptable(graph), .. EmbeddingCatalogue.Embeddings(graph).Select(static e => e.Name)];

    /// <summary>Reads HF PEFT's fields.</summary>
    /// <param name="fields">The file.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">A field is wrong or not supported; the message names it.</exception>
    public static LoraConfig FromFields(ConfigFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        fields.RefuseNull("r", "lora_alpha");
        var config = new LoraConfig
        {
            R = fields.Integer("r", 8),
            LoraAlpha = fields.Number("lora_alpha", 8),
            LoraDropout = fields.Number("lora_dropout", 0),
            Bias = fields.Text("bias", "none")!,
            UseRslora = fields.Flag("use_rslora", false),
            InitLoraWeights = LoraInit.FromJson(fields.Json("init_lora_weights"), "init_lora_weights"),
            UseDora = fields.Flag("use_dora", false),
            LoraBias = fields.Flag("lora_bias", false),
            EnableLora = fields.List<bool>("enable_lora"),
            EnsureWeightTying = fields.Flag("ensure_weight_tying", false),
            EvaConfig = EvaConfig.FromJson(fields.Json("eva_config")),
            RankPattern = fields.Map<int>("rank_pattern"),
            AlphaPattern = fields.Map<double>("alpha_pattern"),
            TargetParameters = fields.List<string>(Lora.TargetParameters.Field) is { Count: > 0 } names ? names : null,
            TrainableTokenIndices = TokenIndices.FromJson(
                fields.Json("trainable_token_indices"), "trainable_token_indices"),
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
    public void Validate() => LoraConfigCheck.Validate(this);

    /// <inheritdoc/>
    /// <remarks>
    /// LoftQ changed the base when the adapter was made; with its weights at hand, how A and B start no longer matters.
    /// </remarks>
    /// <exception cref="ConfigException">What training started from cannot be found again.</exception>
    public override PeftConfig FittedTo(IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (InitLoraWeights.IsRandomDecomposition && !names.Any(HfName.IsStart))
        {
            throw new ConfigException(
                $"init_lora_weights is '{InitLoraWeights}', whose start HF PEFT draws at random and takes out of the base, "
                + "so that it cannot be found again; save the adapter in HF PEFT as plain LoRA, with "
                + "path_initial_model_for_weight_conversion.");
        }

        return InitLoraWeights == LoraInit.Loftq ? this with { InitLoraWeights = LoraInit.Kaiming } : this;
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
        fields["use_dora"] = UseDora;
        if (LoraBias)
            fields["lora_bias"] = true; // HF PEFT before 0.14 does not know the field
        if (EnsureWeightTying)
            fields["ensure_weight_tying"] = true; // new in HF PEFT 0.18
        if (EnableLora is not null)
            fields["enable_lora"] = new JsonArray([.. EnableLora.Select(static e => (JsonNode)e)]);
        fields["init_lora_weights"] = InitLoraWeights.ToJson();
        if (EvaConfig is not null)
            fields["eva_config"] = EvaConfig.ToJson();
        fields["rank_pattern"] = ConfigJson.Numbers(RankPattern);
        fields["alpha_pattern"] = ConfigJson.Numbers(AlphaPattern);
        if (TargetParameters is not null)
            fields[Lora.TargetParameters.Field] = new JsonArray([.. TargetParameters.Select(static n => (JsonNode)n)]);
        if (TrainableTokenIndices is not null)
            fields["trainable_token_indices"] = TrainableTokenIndices.ToJson(); // new in HF PEFT 0.15
    }
}

using System.Text.Json.Nodes;
using OrtPeft.Models.Building;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Rotary;

namespace OrtPeft.Models.Llama;

/// <summary>
/// The <c>config.json</c> of a decoder built like Llama: RMSNorm, rotary positions, grouped-query attention and a gated
/// MLP. Mistral, Qwen, Gemma, Phi-3, Granite, OLMo 2 and SmolLM3 are such, with differences of their own. Defaults are
/// those of HF's <c>LlamaConfig</c>, the first Llama's with 7 billion weights. Immutable; change it with <c>with</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/llama#transformers.LlamaConfig"/>
public sealed record LlamaConfig : ModelConfig
{
    /// <summary>The module of everything but the head in models of texts alone.</summary>
    internal const string PlainRoot = "model";

    private const int Largest = int.MaxValue / 4;

    /// <summary>Creates a description with HF's defaults.</summary>
    public LlamaConfig()
    {
        BosTokenId = 1;
        EosTokenId = 2;
        TieWordEmbeddings = false;
    }

    /// <summary><c>vocab_size</c>: how many token ids there are. Default 32000.</summary>
    public int VocabSize { get; init; } = 32000;

    /// <summary><c>max_position_embeddings</c>: the longest sequence in tokens. Default 2048.</summary>
    public int Positions { get; init; } = 2048;

    /// <summary><c>hidden_size</c>: the width of the hidden states. Default 4096.</summary>
    public int HiddenSize { get; init; } = 4096;

    /// <summary><c>intermediate_size</c>: the width inside the MLP. Default 11008.</summary>
    public int IntermediateSize { get; init; } = 11008;

    /// <summary><c>num_hidden_layers</c>: how many blocks. Default 32.</summary>
    public int Layers { get; init; } = 32;

    /// <summary><c>num_attention_heads</c>: query heads per block. Default 32.</summary>
    public int Heads { get; init; } = 32;

    /// <summary>
    /// <c>num_key_value_heads</c>: heads of keys and values, each shared by as many query heads, so that
    /// <see cref="Heads"/> is a multiple of it; null (default) means <see cref="Heads"/>.
    /// </summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>
    /// <c>head_dim</c>: elements per head, even; null (default) means <see cref="HiddenSize"/> / <see cref="Heads"/>.
    /// </summary>
    public int? HeadDim { get; init; }

    /// <summary><c>hidden_act</c>: the nonlinearity of the MLP's gate. Default <c>silu</c>.</summary>
    public string Activation { get; init; } = "silu";

    /// <summary><c>rms_norm_eps</c>: what is added to the mean square. Default 1e-6.</summary>
    public float RmsNormEpsilon { get; init; } = 1e-6f;

    /// <summary><c>rope_theta</c>: the base of the rotary angles, over 0. Default 10000.</summary>
    public float RopeTheta { get; init; } = 10000;

    /// <summary><c>rope_scaling</c>: how angles are slowed down, or null (default) when they are not.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>
    /// <c>partial_rotary_factor</c>: how much of a head turns, the first elements of it; over 0, at most 1 (default).
    /// </summary>
    public double RotaryPart { get; init; } = 1;

    /// <summary>
    /// The base of the angles in layers with a window, where it is another one, as in Gemma 3; null by default.
    /// </summary>
    public float? LocalRopeTheta { get; init; }

    /// <summary>How angles are slowed down in those layers.</summary>
    public RopeScaling? LocalRopeScaling { get; init; }

    /// <summary>The layers whose heads do not turn, as in SmolLM3; null (default) when all do.</summary>
    public LayerSet? UnturnedLayers { get; init; }

    /// <summary>
    /// The layers that see a few tokens back only; null (default) when none does.
    /// </summary>
    public SlidingWindow? SlidingWindow { get; init; }

    /// <summary>
    /// The factor on scores: Granite's <c>attention_multiplier</c>, 1/√ of Gemma's <c>query_pre_attn_scalar</c>; null
    /// (default) means 1/√<see cref="HeadSize"/>.
    /// </summary>
    public double? ScoreMultiplier { get; init; }

    /// <summary><c>attn_logit_softcapping</c>: the smooth bound of scores, over 0; null (default) is none.</summary>
    public float? ScoreSoftcap { get; init; }

    /// <summary><c>final_logit_softcapping</c>: the smooth bound of logits, over 0; null (default) is none.</summary>
    public float? LogitsSoftcap { get; init; }

    /// <summary>
    /// The factor on embeddings: Granite's <c>embedding_multiplier</c>, Gemma's √<see cref="HiddenSize"/>. Default 1.
    /// </summary>
    public float EmbeddingMultiplier { get; init; } = 1;

    /// <summary>
    /// <c>residual_multiplier</c>: what the results of attention and MLP are multiplied by before they are added.
    /// Default 1.
    /// </summary>
    public float ResidualMultiplier { get; init; } = 1;

    /// <summary><c>logits_scaling</c>: what logits are divided by, not 0. Default 1.</summary>
    public float LogitsDivisor { get; init; } = 1;

    /// <summary>
    /// Whether <c>q_proj</c>, <c>k_proj</c> and <c>v_proj</c> have biases: <c>attention_bias</c>, always in Qwen2.
    /// Default false.
    /// </summary>
    public bool HasInputBiases { get; init; }

    /// <summary>Whether <c>o_proj</c> has a bias: <c>attention_bias</c>, never in Qwen2. Default false.</summary>
    public bool HasOutputBias { get; init; }

    /// <summary>
    /// Whether <c>gate_proj</c>, <c>up_proj</c> and <c>down_proj</c> have biases: Llama's <c>mlp_bias</c>. Default
    /// false.
    /// </summary>
    public bool HasMlpBiases { get; init; }

    /// <summary>The experts that layers have in place of one MLP; null (default) is none.</summary>
    public ExpertMixture? Experts { get; init; }

    /// <summary><c>initializer_range</c>: the standard deviation of a new model's weights. Default 0.02.</summary>
    public float InitializerRange { get; init; } = 0.02f;

    /// <inheritdoc/>
    public override string ModelType => Kind.ModelType;

    /// <inheritdoc/>
    public override int VocabularySize => VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => Positions;

    /// <summary>Heads of keys and values, with the default worked out.</summary>
    public int CacheHeads => KeyValueHeads ?? Heads;

    /// <summary>Elements per head, with the default worked out.</summary>
    public int HeadSize => HeadDim ?? HiddenSize / Heads;

    internal LlamaKind Kind { get; init; } = LlamaKind.Llama;

    /// <summary>The module of everything but the head: another one where the model reads pictures too.</summary>
    internal string Root { get; init; } = PlainRoot;

    /// <summary>Whether it is the part for texts of a model that reads pictures too.</summary>
    internal bool IsTextPart => Root != PlainRoot;

    internal Rope Rope => new(RopeTheta, RopeScaling, RotaryPart);

    internal Rope? LocalRope => LocalRopeTheta is { } theta ? new(theta, LocalRopeScaling, RotaryPart) : null;

    /// <summary>A weight's name in a model of texts alone.</summary>
    internal string PlainName(string name) =>
        name.StartsWith($"{Root}.", StringComparison.Ordinal) ? PlainRoot + name[Root.Length..] : name;

    /// <summary>A weight's or module's name here, by that in a model of texts alone.</summary>
    internal string OwnName(string name) =>
        name.StartsWith($"{PlainRoot}.", StringComparison.Ordinal) ? Root + name[PlainRoot.Length..] : name;

    internal HeadForm Attention => new(Heads, CacheHeads, HeadSize)
    {
        Scale = ScoreMultiplier ?? 1 / Math.Sqrt(HeadSize),
        Softcap = ScoreSoftcap,
        Window = SlidingWindow,
    };

    /// <inheritdoc/>
    public override Architecture ToArchitecture()
    {
        Validate(this);
        return LlamaDecoder.PlanOf(this).ToArchitecture();
    }

    /// <inheritdoc/>
    public override string ToJson()
    {
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(Kind.Architecture),
            ["bos_token_id"] = BosTokenId,
            ["eos_token_id"] = EosTokenId,
            ["head_dim"] = HeadSize,
            [Kind.ActivationField] = Activation,
            ["hidden_size"] = HiddenSize,
            ["initializer_range"] = ConfigText.Exact(InitializerRange),
            ["intermediate_size"] = IntermediateSize,
            ["max_position_embeddings"] = Positions,
            ["model_type"] = ModelType,
            ["num_attention_heads"] = Heads,
            ["num_hidden_layers"] = Layers,
            ["num_key_value_heads"] = CacheHeads,
            ["rms_norm_eps"] = ConfigText.Exact(RmsNormEpsilon),
            ["rope_scaling"] = RopeFields.Write(RopeScaling),
            ["rope_theta"] = ConfigText.Exact(RopeTheta),
            ["tie_word_embeddings"] = TieWordEmbeddings,
            ["vocab_size"] = VocabSize,
        };
        Kind.WriteOwn(this, json);
        return ConfigText.Of(json);
    }

    /// <summary>Reads a description; what the file leaves out is as in <paramref name="defaults"/>.</summary>
    internal static LlamaConfig Read(ModelFields fields, LlamaConfig defaults)
    {
        var config = defaults with
        {
            VocabSize = fields.Count("vocab_size", defaults.VocabSize),
            Positions = fields.Count("max_position_embeddings", defaults.Positions),
            HiddenSize = fields.Count("hidden_size", defaults.HiddenSize),
            IntermediateSize = fields.Count("intermediate_size", defaults.IntermediateSize),
            Layers = fields.Count("num_hidden_layers", defaults.Layers),
            Heads = fields.Count("num_attention_heads", defaults.Heads),
            KeyValueHeads = fields.OptionalCount("num_key_value_heads", defaults.KeyValueHeads),
            HeadDim = fields.OptionalCount("head_dim", defaults.HeadDim),
            Activation = fields.Text(defaults.Kind.ActivationField, defaults.Activation),
            RmsNormEpsilon = fields.Number("rms_norm_eps", defaults.RmsNormEpsilon),
            InitializerRange = fields.Number("initializer_range", defaults.InitializerRange),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", defaults.TieWordEmbeddings),
            BosTokenId = fields.TokenId("bos_token_id", defaults.BosTokenId),
            EosTokenId = fields.TokenId("eos_token_id", defaults.EosTokenId),
        };
        config = config.Kind.ReadRope(fields, config);
        return fields.Checked(config.Kind.ReadOwn(fields, config), Validate);
    }

    private static void Validate(LlamaConfig config)
    {
        ConfigChecks.AtLeastOne("vocab_size", config.VocabSize);
        ConfigChecks.AtLeastOne("max_position_embeddings", config.Positions);
        ConfigChecks.AtLeastOne("hidden_size", config.HiddenSize);
        ConfigChecks.AtLeastOne("intermediate_size", config.IntermediateSize);
        ConfigChecks.Layers("num_hidden_layers", config.Layers);
        ConfigChecks.AtLeastOne("num_attention_heads", config.Heads);
        ConfigChecks.AtLeastOne("num_key_value_heads", config.CacheHeads);
        CheckHeads(config);
        var epsilon = config.RmsNormEpsilon;
        ConfigChecks.Require(epsilon > 0, "rms_norm_eps", epsilon, "a number over 0");
        RopeFields.Check(config.Rope, config.HeadSize, RopeFields.Scaling);
        if (config.LocalRope is { } local)
            RopeFields.Check(local, config.HeadSize, RopeFields.Parameters);
        var range = config.InitializerRange;
        ConfigChecks.Require(range >= 0, "initializer_range", range, "a number from 0");
        ConfigChecks.OneOf(config.Kind.ActivationField, config.Activation, Activations.Names);
        CheckExperts(config.Experts);
        var (cap, limit, divisor) = (config.ScoreSoftcap, config.LogitsSoftcap, config.LogitsDivisor);
        ConfigChecks.Require(cap is null or > 0, "attn_logit_softcapping", cap ?? 0, "a number over 0, or null");
        ConfigChecks.Require(limit is null or > 0, "final_logit_softcapping", limit ?? 0, "a number over 0, or null");
        ConfigChecks.Require(divisor != 0, "logits_scaling", divisor, "a number that is not 0");
    }

    private static void CheckExperts(ExpertMixture? experts)
    {
        if (experts is null)
            return;
        ConfigChecks.AtLeastOne("moe_intermediate_size", experts.InnerSize);
        var (most, chosen) = (experts.Count, experts.PerToken);
        const string Field = "num_experts_per_tok";
        ConfigChecks.Require(chosen > 0 && chosen <= most, Field, chosen, $"1 to the number of experts, {most}");
        var size = (long)most * experts.InnerSize;
        ConfigChecks.Require(size <= Largest, "num_experts", most, "a smaller number");
    }

    private static void CheckHeads(LlamaConfig config)
    {
        var (width, heads, groups) = (config.HiddenSize, config.Heads, config.CacheHeads);
        var isMultiple = heads % groups == 0;
        const string KeyHeads = "num_key_value_heads";
        ConfigChecks.Require(isMultiple, "num_attention_heads", heads, $"a multiple of {KeyHeads}, which is {groups}");
        var divides = config.HeadDim is not null || width % heads == 0;
        var allowed = $"a multiple of num_attention_heads, which is {heads}, where head_dim is not given";
        ConfigChecks.Require(divides, "hidden_size", width, allowed);
        ConfigChecks.AtLeastOne("head_dim", config.HeadSize);
        if (config.RotaryPart == 1)
            ConfigChecks.Require(config.HeadSize % 2 == 0, "head_dim", config.HeadSize, "an even number");
        ConfigChecks.Require((long)heads * config.HeadSize <= Largest, "head_dim", config.HeadSize, "a smaller number");
    }
}

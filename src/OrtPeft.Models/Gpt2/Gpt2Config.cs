using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Models.Building;
using OrtPeft.Models.Configuration;

namespace OrtPeft.Models.Gpt2;

/// <summary>
/// A GPT-2's <c>config.json</c>. Defaults are HF's, which are those of the 124-million model. Immutable; change it with
/// <c>with</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/gpt2#transformers.GPT2Config"/>
public sealed record Gpt2Config : ModelConfig
{
    /// <summary>Far beyond any model, it keeps a damaged file from filling the memory.</summary>
    private const int MaxLayers = 1000;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Creates a description with HF's defaults.</summary>
    public Gpt2Config()
    {
        BosTokenId = 50256;
        EosTokenId = 50256;
    }

    /// <summary><c>vocab_size</c>: how many token ids there are. Default 50257.</summary>
    public int VocabSize { get; init; } = 50257;

    /// <summary><c>n_positions</c>: the longest sequence in tokens. Default 1024.</summary>
    public int Positions { get; init; } = 1024;

    /// <summary>
    /// <c>n_embd</c>: the width of the hidden states, a multiple of <see cref="Heads"/>. Default 768.
    /// </summary>
    public int EmbeddingSize { get; init; } = 768;

    /// <summary><c>n_layer</c>: how many blocks. Default 12.</summary>
    public int Layers { get; init; } = 12;

    /// <summary><c>n_head</c>: attention heads per block. Default 12.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>
    /// <c>n_inner</c>: the width inside the MLP; null (default) means 4 · <see cref="EmbeddingSize"/>.
    /// </summary>
    public int? InnerSize { get; init; }

    /// <summary><c>activation_function</c>: the MLP's nonlinearity. Default <c>gelu_new</c>.</summary>
    public string ActivationFunction { get; init; } = "gelu_new";

    /// <summary><c>layer_norm_epsilon</c>: what is added to the variance. Default 1e-5.</summary>
    public float LayerNormEpsilon { get; init; } = 1e-5f;

    /// <summary><c>scale_attn_weights</c>: whether scores are divided by √head size. Default true.</summary>
    public bool ScaleAttentionWeights { get; init; } = true;

    /// <summary>
    /// <c>scale_attn_by_inverse_layer_idx</c>: whether scores are divided by layer + 1 too. Default false.
    /// </summary>
    public bool ScaleAttentionByInverseLayerIndex { get; init; }

    /// <summary>
    /// <c>reorder_and_upcast_attn</c>: whether HF scales before the product and computes it in float32. In float32
    /// graphs this is the same function. Default false.
    /// </summary>
    public bool ReorderAndUpcastAttention { get; init; }

    /// <summary><c>initializer_range</c>: the standard deviation of a new model's weights. Default 0.02.</summary>
    public float InitializerRange { get; init; } = 0.02f;

    /// <inheritdoc/>
    public override string ModelType => "gpt2";

    /// <inheritdoc/>
    public override int VocabularySize => VocabSize;

    /// <inheritdoc/>
    public override int MaxPositions => Positions;

    /// <summary>The width of one head: <see cref="EmbeddingSize"/> / <see cref="Heads"/>.</summary>
    public int HeadSize => EmbeddingSize / Heads;

    /// <summary>The width inside the MLP, with the default worked out.</summary>
    public int MlpSize => InnerSize ?? 4 * EmbeddingSize;

    /// <inheritdoc/>
    public override Architecture ToArchitecture()
    {
        Validate(this);
        return Gpt2Architecture.Of(this);
    }

    /// <inheritdoc/>
    public override string ToJson() => new JsonObject
    {
        ["activation_function"] = ActivationFunction,
        ["architectures"] = new JsonArray("GPT2LMHeadModel"),
        ["bos_token_id"] = BosTokenId,
        ["eos_token_id"] = EosTokenId,
        ["initializer_range"] = Exact(InitializerRange),
        ["layer_norm_epsilon"] = Exact(LayerNormEpsilon),
        ["model_type"] = ModelType,
        ["n_embd"] = EmbeddingSize,
        ["n_head"] = Heads,
        ["n_inner"] = InnerSize,
        ["n_layer"] = Layers,
        ["n_positions"] = Positions,
        ["reorder_and_upcast_attn"] = ReorderAndUpcastAttention,
        ["scale_attn_by_inverse_layer_idx"] = ScaleAttentionByInverseLayerIndex,
        ["scale_attn_weights"] = ScaleAttentionWeights,
        ["tie_word_embeddings"] = TieWordEmbeddings,
        ["vocab_size"] = VocabSize,
    }.ToJsonString(Indented) + "\n";

    internal static Gpt2Config Read(ConfigFields fields)
    {
        if (fields.Flag("add_cross_attention", false))
            throw fields.Broken("add_cross_attention", "true", "false: encoder-decoder models cannot be built");
        var defaults = new Gpt2Config();
        var config = new Gpt2Config
        {
            VocabSize = fields.Count("vocab_size", defaults.VocabSize),
            Positions = fields.Count("n_positions", defaults.Positions),
            EmbeddingSize = fields.Count("n_embd", defaults.EmbeddingSize),
            Layers = fields.Count("n_layer", defaults.Layers),
            Heads = fields.Count("n_head", defaults.Heads),
            InnerSize = fields.OptionalCount("n_inner"),
            ActivationFunction = fields.Text("activation_function", defaults.ActivationFunction),
            LayerNormEpsilon = fields.Number("layer_norm_epsilon", defaults.LayerNormEpsilon),
            ScaleAttentionWeights = fields.Flag("scale_attn_weights", true),
            ScaleAttentionByInverseLayerIndex = fields.Flag("scale_attn_by_inverse_layer_idx", false),
            ReorderAndUpcastAttention = fields.Flag("reorder_and_upcast_attn", false),
            InitializerRange = fields.Number("initializer_range", defaults.InitializerRange),
            TieWordEmbeddings = fields.Flag("tie_word_embeddings", true),
            BosTokenId = fields.TokenId("bos_token_id", defaults.BosTokenId),
            EosTokenId = fields.TokenId("eos_token_id", defaults.EosTokenId),
        };
        return fields.Checked(config, Validate);
    }

    private static void Validate(Gpt2Config config)
    {
        AtLeastOne("vocab_size", config.VocabSize);
        AtLeastOne("n_positions", config.Positions);
        AtLeastOne("n_embd", config.EmbeddingSize);
        Require(config.Layers is > 0 and <= MaxLayers, "n_layer", config.Layers, $"1 to {MaxLayers}");
        AtLeastOne("n_head", config.Heads);
        AtLeastOne("n_inner", config.InnerSize ?? 1);
        Require(config.EmbeddingSize <= int.MaxValue / 4, "n_embd", config.EmbeddingSize, "at most 536870911");
        var multiple = $"a multiple of n_head, which is {config.Heads}";
        Require(config.EmbeddingSize % config.Heads == 0, "n_embd", config.EmbeddingSize, multiple);
        Require(config.LayerNormEpsilon > 0, "layer_norm_epsilon", config.LayerNormEpsilon, "a number over 0");
        Require(config.InitializerRange >= 0, "initializer_range", config.InitializerRange, "a number from 0");
        var activations = $"one of {string.Join(", ", Activations.Names)}";
        var activation = config.ActivationFunction;
        Require(Activations.Has(activation), "activation_function", $"'{activation}'", activations);
    }

    private static void AtLeastOne(string field, int value) =>
        Require(value > 0, field, value, "a whole number from 1");

    private static void Require(bool holds, string field, IFormattable value, string allowed) =>
        Require(holds, field, value.ToString(null, System.Globalization.CultureInfo.InvariantCulture), allowed);

    private static void Require(bool holds, string field, string value, string allowed)
    {
        if (!holds)
            throw new ModelConfigException($"{field} is {value}; allowed is {allowed}.");
    }

    /// <summary>A decimal keeps the float's shortest digits: 1E-05 instead of 9.99999974737875E-06.</summary>
    private static JsonNode Exact(float value) =>
        JsonNode.Parse(value.ToString("R", System.Globalization.CultureInfo.InvariantCulture))!;
}

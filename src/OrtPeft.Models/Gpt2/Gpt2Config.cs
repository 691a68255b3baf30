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
    public override string ToJson() => ConfigText.Of(new JsonObject
    {
        ["activation_function"] = ActivationFunction,
        ["architectures"] = new JsonArray("GPT2LMHeadModel"),
        ["bos_token_id"] = BosTokenId,
        ["eos_token_id"] = EosTokenId,
        ["initializer_range"] = ConfigText.Exact(InitializerRange),
        ["layer_norm_epsilon"] = ConfigText.Exact(LayerNormEpsilon),
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
    });

    internal static Gpt2Config Read(ModelFields fields)
    {
        var defaults = new Gpt2Config();
        var config = new Gpt2Config
        {
            VocabSize = fields.Count("vocab_size", defaults.VocabSize),
            Positions = Count(fields, "n_positions", "max_position_embeddings", defaults.Positions),
            EmbeddingSize = Count(fields, "n_embd", "hidden_size", defaults.EmbeddingSize),
            Layers = Count(fields, "n_layer", "num_hidden_layers", defaults.Layers),
            Heads = Count(fields, "n_head", "num_attention_heads", defaults.Heads),
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
        LayerTypes.RequireFull(fields, config.Layers);
        return fields.Checked(config, Validate);
    }

    /// <summary>A field that HF knows by a second name, common to all families, which wins where both stand.</summary>
    private static int Count(ModelFields fields, string name, string common, int otherwise)
    {
        var own = fields.Count(name, otherwise);
        return fields.Count(common, own);
    }

    private static void Validate(Gpt2Config config)
    {
        ConfigChecks.AtLeastOne("vocab_size", config.VocabSize);
        ConfigChecks.AtLeastOne("n_positions", config.Positions);
        ConfigChecks.AtLeastOne("n_embd", config.EmbeddingSize);
        ConfigChecks.Layers("n_layer", config.Layers);
        ConfigChecks.AtLeastOne("n_head", config.Heads);
        ConfigChecks.AtLeastOne("n_inner", config.InnerSize ?? 1);
        var (width, heads) = (config.EmbeddingSize, config.Heads);
        ConfigChecks.Require(width <= int.MaxValue / 4, "n_embd", width, "at most 536870911");
        ConfigChecks.Require(width % heads == 0, "n_embd", width, $"a multiple of n_head, which is {heads}");
        var epsilon = config.LayerNormEpsilon;
        ConfigChecks.Require(epsilon > 0, "layer_norm_epsilon", epsilon, "a number over 0");
        var range = config.InitializerRange;
        ConfigChecks.Require(range >= 0, "initializer_range", range, "a number from 0");
        ConfigChecks.OneOf("activation_function", config.ActivationFunction, Activations.Names);
    }
}

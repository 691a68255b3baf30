using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;

namespace OrtPeft.Models.Opt;

/// <summary>The <c>config.json</c> of OPT. Defaults are those of HF's <c>OPTConfig</c>. Immutable.</summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/opt#transformers.OPTConfig"/>
internal sealed record OptConfig : LayerNormConfig
{
    private const string WidthField = "word_embed_proj_dim";
    private const string BeforeField = "do_layer_norm_before";
    private const string RemovedField = "_remove_final_layer_norm";
    private const string BiasField = "enable_bias";
    private const string NormWeightsField = "layer_norm_elementwise_affine";

    /// <summary><c>word_embed_proj_dim</c>: the width of the embedding; null means that of the hidden states.</summary>
    public int? EmbeddingSize { get; init; }

    /// <summary><c>do_layer_norm_before</c>: whether norms stand before attention and MLP, or after.</summary>
    public bool NormsBefore { get; init; } = true;

    /// <summary><c>_remove_final_layer_norm</c>: whether the last norm is missing.</summary>
    public bool LacksLastNorm { get; init; }

    /// <summary><c>enable_bias</c>: whether linear layers have biases.</summary>
    public bool HasBiases { get; init; } = true;

    /// <summary><c>layer_norm_elementwise_affine</c>: whether norms have weights.</summary>
    public bool HasNormWeights { get; init; } = true;

    public int EmbeddingWidth => EmbeddingSize ?? HiddenSize;

    public override string ModelType => "opt";

    protected override string ArchitectureName => "OPTForCausalLM";

    protected override string InnerField => "ffn_dim";

    protected override string ActivationField => "activation_function";

    protected override string DeviationField => "init_std";

    public override Architecture ToArchitecture()
    {
        Validate(this);
        return OptDecoder.PlanOf(this).ToArchitecture();
    }

    public static OptConfig Read(ModelFields fields)
    {
        var defaults = new OptConfig
        {
            VocabSize = 50272,
            Positions = 2048,
            HiddenSize = 768,
            InnerSize = 3072,
            Layers = 12,
            Heads = 12,
            Activation = "relu",
            BosTokenId = 2,
            EosTokenId = 2,
        };
        fields.Know("layerdrop");
        var config = (OptConfig)defaults.WithFields(fields) with
        {
            EmbeddingSize = fields.OptionalCount(WidthField),
            NormsBefore = fields.Flag(BeforeField, true),
            LacksLastNorm = fields.Flag(RemovedField, false),
            HasBiases = fields.Flag(BiasField, true),
            HasNormWeights = fields.Flag(NormWeightsField, true),
        };
        LayerTypes.RequireFull(fields, config.Layers);
        return fields.Checked(config, Validate);
    }

    protected override void WriteOwn(JsonObject json)
    {
        json[WidthField] = EmbeddingWidth;
        json[BeforeField] = NormsBefore;
        json[RemovedField] = LacksLastNorm;
        json[BiasField] = HasBiases;
        json[NormWeightsField] = HasNormWeights;
    }

    private static void Validate(OptConfig config)
    {
        LayerNormConfig.Validate(config);
        ConfigChecks.AtLeastOne(WidthField, config.EmbeddingWidth);
    }
}

using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Rotary;

namespace OrtPeft.Models.Phi;

/// <summary>
/// The <c>config.json</c> of Phi-1, Phi-1.5 and Phi-2. Defaults are those of HF's <c>PhiConfig</c>. Immutable.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/phi#transformers.PhiConfig"/>
internal sealed record PhiConfig : LayerNormConfig
{
    private const string EpsilonField = "layer_norm_eps";
    private const string KeyHeadsField = "num_key_value_heads";
    private const string NormsField = "qk_layernorm";
    private const double DefaultPart = 0.5;

    /// <summary><c>layer_norm_eps</c>: what is added to the variance.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary><c>num_key_value_heads</c>: heads of keys and values; null means as many as of queries.</summary>
    public int? KeyValueHeads { get; init; }

    /// <summary><c>qk_layernorm</c>: whether each head of queries and keys is normalised.</summary>
    public bool HasHeadNorms { get; init; }

    /// <summary>How the heads turn.</summary>
    public Rope Rope { get; init; } = new(10000, null, DefaultPart);

    public int CacheHeads => KeyValueHeads ?? Heads;

    public override string ModelType => "phi";

    protected override string ArchitectureName => "PhiForCausalLM";

    public override Architecture ToArchitecture()
    {
        Validate(this);
        return PhiDecoder.PlanOf(this).ToArchitecture();
    }

    public static PhiConfig Read(ModelFields fields)
    {
        var defaults = new PhiConfig
        {
            VocabSize = 51200,
            Positions = 2048,
            HiddenSize = 2048,
            InnerSize = 8192,
            Layers = 24,
            Heads = 32,
            Activation = "gelu_new",
            TieWordEmbeddings = false,
            BosTokenId = 1,
            EosTokenId = 2,
        };
        var common = (PhiConfig)defaults.WithFields(fields);
        var places = new RopeFields { Defaults = defaults.Rope, PartField = RopeFields.Part };
        var config = common with
        {
            Epsilon = fields.Number(EpsilonField, defaults.Epsilon),
            KeyValueHeads = fields.OptionalCount(KeyHeadsField),
            HasHeadNorms = fields.Flag(NormsField, false),
            Rope = places.Read(fields, common.Positions),
        };
        LayerTypes.RequireFull(fields, config.Layers);
        return fields.Checked(config, Validate);
    }

    protected override void WriteOwn(JsonObject json)
    {
        json[EpsilonField] = ConfigText.Exact(Epsilon);
        json[KeyHeadsField] = KeyValueHeads;
        json[NormsField] = HasHeadNorms;
        json[RopeFields.Theta] = ConfigText.Exact(Rope.Theta);
        json[RopeFields.Part] = Rope.Part;
        json[RopeFields.Scaling] = RopeFields.Write(Rope.Scaling);
    }

    private static void Validate(PhiConfig config)
    {
        LayerNormConfig.Validate(config);
        var allowed = $"a multiple of {KeyHeadsField}, which is {config.CacheHeads}";
        ConfigChecks.AtLeastOne(KeyHeadsField, config.CacheHeads);
        ConfigChecks.Require(
            config.Heads % config.CacheHeads == 0, "num_attention_heads", config.Heads, allowed);
        ConfigChecks.Require(config.Epsilon > 0, EpsilonField, config.Epsilon, "a number over 0");
        RopeFields.Check(config.Rope, config.HeadSize, RopeFields.Scaling);
    }
}

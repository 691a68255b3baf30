using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Rotary;

namespace OrtPeft.Models.GptNeoX;

/// <summary>
/// The <c>config.json</c> of GPT-NeoX and Pythia. Defaults are those of HF's <c>GPTNeoXConfig</c>. Immutable.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/gpt_neox#transformers.GPTNeoXConfig"/>
internal sealed record GptNeoXConfig : LayerNormConfig
{
    private const string EpsilonField = "layer_norm_eps";
    private const string ParallelField = "use_parallel_residual";
    private const string BiasField = "attention_bias";
    private const string ThetaField = "rotary_emb_base";
    private const string PartField = "rotary_pct";
    private const double DefaultPart = 0.25;

    /// <summary><c>layer_norm_eps</c>: what is added to the variance.</summary>
    public float Epsilon { get; init; } = 1e-5f;

    /// <summary><c>use_parallel_residual</c>: whether attention and MLP read the same hidden states.</summary>
    public bool IsParallel { get; init; } = true;

    /// <summary><c>attention_bias</c>: whether the layers of attention have biases.</summary>
    public bool HasAttentionBiases { get; init; } = true;

    /// <summary>How the heads turn.</summary>
    public Rope Rope { get; init; } = new(10000, null, DefaultPart);

    public override string ModelType => "gpt_neox";

    protected override string ArchitectureName => "GPTNeoXForCausalLM";

    public override Architecture ToArchitecture()
    {
        Validate(this);
        return GptNeoXDecoder.PlanOf(this).ToArchitecture();
    }

    public static GptNeoXConfig Read(ModelFields fields)
    {
        var defaults = new GptNeoXConfig
        {
            VocabSize = 50432,
            Positions = 2048,
            HiddenSize = 6144,
            InnerSize = 24576,
            Layers = 44,
            Heads = 64,
            Activation = "gelu",
            TieWordEmbeddings = false,
            BosTokenId = 0,
            EosTokenId = 2,
        };
        var common = (GptNeoXConfig)defaults.WithFields(fields);
        var places = new RopeFields { Defaults = defaults.Rope, ThetaField = ThetaField, PartField = PartField };
        var config = common with
        {
            Epsilon = fields.Number(EpsilonField, defaults.Epsilon),
            IsParallel = fields.Flag(ParallelField, true),
            HasAttentionBiases = fields.Flag(BiasField, true),
            Rope = places.Read(fields, common.Positions),
        };
        LayerTypes.RequireFull(fields, config.Layers);
        // Some versions write both spellings; HF reads its own.
        if (fields.Number(RopeFields.Theta, config.Rope.Theta) is var theta && theta != config.Rope.Theta)
            fields.Refuse(RopeFields.Theta, FormattableString.Invariant($"{theta}"), $"{config.Rope.Theta}, as elsewhere");
        if (fields.OptionalNumber(RopeFields.Part) is { } part && part != config.Rope.Part)
            fields.Refuse(RopeFields.Part, FormattableString.Invariant($"{part}"), $"{config.Rope.Part}, as elsewhere");
        return fields.Checked(config, Validate);
    }

    protected override void WriteOwn(JsonObject json)
    {
        json[EpsilonField] = ConfigText.Exact(Epsilon);
        json[ParallelField] = IsParallel;
        json[BiasField] = HasAttentionBiases;
        json[ThetaField] = ConfigText.Exact(Rope.Theta);
        json[PartField] = Rope.Part;
        json[RopeFields.Scaling] = RopeFields.Write(Rope.Scaling);
    }

    private static void Validate(GptNeoXConfig config)
    {
        LayerNormConfig.Validate(config);
        ConfigChecks.Require(config.Epsilon > 0, EpsilonField, config.Epsilon, "a number over 0");
        RopeFields.Check(config.Rope, config.HeadSize, RopeFields.Scaling);
    }
}

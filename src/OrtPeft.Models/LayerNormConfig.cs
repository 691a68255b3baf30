using System.Text.Json.Nodes;
using OrtPeft.Models.Building;
using OrtPeft.Models.Configuration;

namespace OrtPeft.Models;

/// <summary>The common part of descriptions of decoders with LayerNorm and an MLP without a gate. Immutable.</summary>
internal abstract record LayerNormConfig : ModelConfig
{
    /// <summary><c>vocab_size</c>: how many token ids there are.</summary>
    public required int VocabSize { get; init; }

    /// <summary><c>max_position_embeddings</c>: the longest sequence in tokens.</summary>
    public required int Positions { get; init; }

    /// <summary><c>hidden_size</c>: the width of the hidden states.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>The width inside the MLP.</summary>
    public required int InnerSize { get; init; }

    /// <summary><c>num_hidden_layers</c>: how many blocks.</summary>
    public required int Layers { get; init; }

    /// <summary><c>num_attention_heads</c>: query heads per block.</summary>
    public required int Heads { get; init; }

    /// <summary>The MLP's nonlinearity.</summary>
    public required string Activation { get; init; }

    /// <summary>The standard deviation of a new model's weights.</summary>
    public float Deviation { get; init; } = 0.02f;

    public override int VocabularySize => VocabSize;

    public override int MaxPositions => Positions;

    public int HeadSize => HiddenSize / Heads;

    /// <summary>HF's class of the whole model.</summary>
    protected abstract string ArchitectureName { get; }

    /// <summary>The field of <see cref="InnerSize"/>.</summary>
    protected virtual string InnerField => "intermediate_size";

    /// <summary>The field of <see cref="Activation"/>.</summary>
    protected virtual string ActivationField => "hidden_act";

    /// <summary>The field of <see cref="Deviation"/>.</summary>
    protected virtual string DeviationField => "initializer_range";

    public override string ToJson()
    {
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(ArchitectureName),
            ["bos_token_id"] = BosTokenId,
            ["eos_token_id"] = EosTokenId,
            ["hidden_size"] = HiddenSize,
            ["max_position_embeddings"] = Positions,
            ["model_type"] = ModelType,
            ["num_attention_heads"] = Heads,
            ["num_hidden_layers"] = Layers,
            ["tie_word_embeddings"] = TieWordEmbeddings,
            ["vocab_size"] = VocabSize,
            [ActivationField] = Activation,
            [DeviationField] = ConfigText.Exact(Deviation),
            [InnerField] = InnerSize,
        };
        WriteOwn(json);
        return ConfigText.Of(json);
    }

    /// <summary>Adds the fields that only this family has.</summary>
    protected abstract void WriteOwn(JsonObject json);

    /// <summary>Reads the fields that all have; what the file leaves out stays as it is here.</summary>
    protected LayerNormConfig WithFields(ModelFields fields) => this with
    {
        VocabSize = fields.Count("vocab_size", VocabSize),
        Positions = fields.Count("max_position_embeddings", Positions),
        HiddenSize = fields.Count("hidden_size", HiddenSize),
        InnerSize = fields.Count(InnerField, InnerSize),
        Layers = fields.Count("num_hidden_layers", Layers),
        Heads = fields.Count("num_attention_heads", Heads),
        Activation = fields.Text(ActivationField, Activation),
        Deviation = fields.Number(DeviationField, Deviation),
        TieWordEmbeddings = fields.Flag("tie_word_embeddings", TieWordEmbeddings),
        BosTokenId = fields.TokenId("bos_token_id", BosTokenId),
        EosTokenId = fields.TokenId("eos_token_id", EosTokenId),
    };

    /// <summary>Checks those fields.</summary>
    protected static void Validate(LayerNormConfig config)
    {
        const int Largest = int.MaxValue / 4;
        ConfigChecks.AtLeastOne("vocab_size", config.VocabSize);
        ConfigChecks.AtLeastOne("max_position_embeddings", config.Positions);
        ConfigChecks.AtLeastOne("hidden_size", config.HiddenSize);
        ConfigChecks.AtLeastOne(config.InnerField, config.InnerSize);
        ConfigChecks.Layers("num_hidden_layers", config.Layers);
        ConfigChecks.AtLeastOne("num_attention_heads", config.Heads);
        var (width, heads, deviation) = (config.HiddenSize, config.Heads, config.Deviation);
        ConfigChecks.Require(width <= Largest, "hidden_size", width, $"at most {Largest}");
        var allowed = $"a multiple of num_attention_heads, which is {heads}";
        ConfigChecks.Require(width % heads == 0, "hidden_size", width, allowed);
        ConfigChecks.Require(deviation >= 0, config.DeviationField, deviation, "a number from 0");
        ConfigChecks.OneOf(config.ActivationField, config.Activation, Activations.Names);
    }
}

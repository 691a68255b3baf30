using System.Text.Json.Nodes;
using OrtPeft.Models.Building;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Rotary;

namespace OrtPeft.Models.Llama;

/// <summary>The traits that distinguish a model type from others that are built like Llama.</summary>
internal sealed class LlamaKind
{
    /// <summary>Llama itself, and what is published as one: TinyLlama, SmolLM2, Yi and others.</summary>
    public static LlamaKind Llama { get; } = new()
    {
        ModelType = "llama",
        Architecture = "LlamaForCausalLM",
        ReadOwn = static (fields, config) =>
        {
            LayerTypes.RequireFull(fields, config.Layers);
            return WithBiases(fields, config) with { HasMlpBiases = fields.Flag("mlp_bias", false) };
        },
        WriteOwn = static (config, json) =>
        {
            json["attention_bias"] = config.HasInputBiases;
            json["mlp_bias"] = config.HasMlpBiases;
        },
    };

    /// <summary>The family, as <c>model_type</c> names it.</summary>
    public required string ModelType { get; init; }

    /// <summary>HF's class of the whole model, as <c>architectures</c> names it.</summary>
    public required string Architecture { get; init; }

    /// <summary>Completes a description by the fields that only this type has.</summary>
    public required Func<ModelFields, LlamaConfig, LlamaConfig> ReadOwn { get; init; }

    /// <summary>Adds those fields to a <c>config.json</c>.</summary>
    public required Action<LlamaConfig, JsonObject> WriteOwn { get; init; }

    /// <summary>Where a block normalises.</summary>
    public BlockNorms Norms { get; init; }

    /// <summary>The number that is added to the weights of norms: 1 in Gemma, else 0.</summary>
    public float NormOffset { get; init; }

    /// <summary>The part of queries and keys that is normalised.</summary>
    public QueryKeyNorms QueryKeyNorms { get; init; }

    /// <summary>Whether queries, keys and values are one layer, and gate and up another one.</summary>
    public bool IsPacked { get; init; }

    /// <summary>Where checkpoints have the experts of a layer.</summary>
    public ExpertSources ExpertSources { get; init; } = new("mlp", "gate_proj", "up_proj", "down_proj");

    /// <summary>The field of the MLP's nonlinearity.</summary>
    public string ActivationField { get; init; } = "hidden_act";

    /// <summary>Completes a description by its rotary fields.</summary>
    public Func<ModelFields, LlamaConfig, LlamaConfig> ReadRope { get; init; } =
        RopeReader(static defaults => new RopeFields { Defaults = defaults });

    /// <summary>Reads rotary fields that all layers share.</summary>
    /// <param name="places">Where they stand; takes what the file leaves out.</param>
    public static Func<ModelFields, LlamaConfig, LlamaConfig> RopeReader(Func<Rope, RopeFields> places) =>
        (fields, config) =>
        {
            var rope = places(config.Rope).Read(fields, config.Positions);
            return config with { RopeTheta = rope.Theta, RopeScaling = rope.Scaling, RotaryPart = rope.Part };
        };

    /// <summary>Reads <c>attention_bias</c>, of all four layers of attention.</summary>
    public static LlamaConfig WithBiases(ModelFields fields, LlamaConfig config)
    {
        var hasBiases = fields.Flag("attention_bias", config.HasInputBiases);
        return config with { HasInputBiases = hasBiases, HasOutputBias = hasBiases };
    }
}

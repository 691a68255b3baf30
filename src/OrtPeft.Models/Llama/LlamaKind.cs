using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;

namespace OrtPeft.Models.Llama;

/// <summary>What distinguishes the model types that are built like Llama.</summary>
/// <param name="modelType">The family, as <c>model_type</c> names it.</param>
/// <param name="architecture">HF's class of the whole model, as <c>architectures</c> names it.</param>
/// <param name="readOwn">Completes a description by the fields that only this type has.</param>
/// <param name="writeOwn">Adds those fields to a <c>config.json</c>.</param>
internal sealed class LlamaKind(
    string modelType,
    string architecture,
    Func<ModelFields, LlamaConfig, LlamaConfig> readOwn,
    Action<LlamaConfig, JsonObject> writeOwn)
{
    /// <summary>Llama itself, and what is published as one: TinyLlama, SmolLM2, Yi and others.</summary>
    public static LlamaKind Llama { get; } = new("llama", "LlamaForCausalLM", ReadBiases, WriteBiases);

    public string ModelType => modelType;

    public string Architecture => architecture;

    public LlamaConfig ReadOwn(ModelFields fields, LlamaConfig config) => readOwn(fields, config);

    public void WriteOwn(LlamaConfig config, JsonObject json) => writeOwn(config, json);

    private static LlamaConfig ReadBiases(ModelFields fields, LlamaConfig config)
    {
        LayerTypes.RequireFull(fields, config.Layers);
        var hasBiases = fields.Flag("attention_bias", false);
        return config with
        {
            HasInputBiases = hasBiases,
            HasOutputBias = hasBiases,
            HasMlpBiases = fields.Flag("mlp_bias", false),
        };
    }

    private static void WriteBiases(LlamaConfig config, JsonObject json)
    {
        json["attention_bias"] = config.HasInputBiases;
        json["mlp_bias"] = config.HasMlpBiases;
    }
}

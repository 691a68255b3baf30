using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;

namespace OrtPeft.Models.SmolLm3;

/// <summary>
/// SmolLM3: built like Llama, with layers whose heads do not turn. Defaults are those of HF's <c>SmolLM3Config</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/smollm3#transformers.SmolLM3Config"/>
internal static class SmolLm3Family
{
    /// <summary>1 for each layer whose heads turn, in spite of its name.</summary>
    private const string TurnedField = "no_rope_layers";

    private static readonly LlamaKind Kind = new()
    {
        ModelType = "smollm3",
        Architecture = "SmolLM3ForCausalLM",
        ReadOwn = ReadOwn,
        WriteOwn = WriteOwn,
    };

    public static LlamaConfig Defaults { get; } = new()
    {
        Kind = Kind,
        VocabSize = 128256,
        HiddenSize = 2048,
        Layers = 36,
        Heads = 16,
        KeyValueHeads = 4,
        Positions = 32768,
        RopeTheta = 2_000_000,
        TieWordEmbeddings = true,
        BosTokenId = 128000,
        EosTokenId = 128001,
    };

    private static LlamaConfig ReadOwn(ModelFields fields, LlamaConfig config)
    {
        const int DefaultInterval = 4;
        fields.Know("max_window_layers");
        var interval = fields.Count("no_rope_layer_interval", DefaultInterval);
        var turned = fields.Wholes(TurnedField);
        if (turned is not null && turned.Length < config.Layers)
        {
            fields.Refuse(TurnedField, $"a list of {turned.Length}", $"one of {config.Layers}, a number per layer");
            turned = null;
        }

        var size = LayerTypes.Size(fields, null);
        var slides = fields.Flag(LayerTypes.UseField, false) && size is not null;
        var unturned = new LayerSet(Enumerable.Range(0, config.Layers).Where(IsUnturned));
        var own = LlamaKind.WithBiases(fields, config);
        return own with
        {
            HasMlpBiases = fields.Flag("mlp_bias", false),
            UnturnedLayers = unturned.Count > 0 ? unturned : null,
            SlidingWindow = LayerTypes.Read(fields, config.Layers, size, i => slides && IsUnturned(i)),
        };

        bool IsUnturned(int layer) => turned is null ? (layer + 1) % interval == 0 : turned[layer] == 0;
    }

    private static void WriteOwn(LlamaConfig config, JsonObject json)
    {
        json["attention_bias"] = config.HasInputBiases;
        json["mlp_bias"] = config.HasMlpBiases;
        json[TurnedField] = new JsonArray(
            [.. Enumerable.Range(0, config.Layers).Select(i => (JsonNode)(IsTurned(config, i) ? 1 : 0))]);
        json[LayerTypes.UseField] = config.SlidingWindow is not null;
        LayerTypes.Write(config.SlidingWindow, config.Layers, json);
    }

    private static bool IsTurned(LlamaConfig config, int layer) => config.UnturnedLayers?.Contains(layer) != true;
}

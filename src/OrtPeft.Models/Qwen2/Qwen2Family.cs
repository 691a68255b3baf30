using System.Text.Json.Nodes;
using OrtPeft.Models.Configuration;
using OrtPeft.Models.Llama;

namespace OrtPeft.Models.Qwen2;

/// <summary>
/// Qwen2 and Qwen2.5: built like Llama, with biases on queries, keys and values. Defaults are those of HF's
/// <c>Qwen2Config</c>.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/model_doc/qwen2#transformers.Qwen2Config"/>
internal static class Qwen2Family
{
    private static readonly LlamaKind Kind = new()
    {
        ModelType = "qwen2",
        Architecture = "Qwen2ForCausalLM",
        ReadOwn = ReadOwn,
        WriteOwn = WriteWindow,
    };

    public static LlamaConfig Defaults { get; } = new()
    {
        Kind = Kind,
        VocabSize = 151936,
        Positions = 32768,
        IntermediateSize = 22016,
        KeyValueHeads = 32,
        HasInputBiases = true,
        BosTokenId = null,
        EosTokenId = null,
    };

    /// <summary>Writes a window that layers after a number of them may have.</summary>
    public static void WriteWindow(LlamaConfig config, JsonObject json)
    {
        json[LayerTypes.UseField] = config.SlidingWindow is not null;
        if (config.SlidingWindow is not null)
            LayerTypes.Write(config.SlidingWindow, config.Layers, json);
    }

    private static LlamaConfig ReadOwn(ModelFields fields, LlamaConfig config)
    {
        fields.Know("attention_bias");
        return config with { SlidingWindow = LayerTypes.ReadFrom(fields, config.Layers) };
    }
}

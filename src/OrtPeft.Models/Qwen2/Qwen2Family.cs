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
    private const string UseWindow = "use_sliding_window";

    private static readonly LlamaKind Kind = new("qwen2", "Qwen2ForCausalLM", ReadOwn, WriteOwn);

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

    /// <summary>A window that starts behind the last layer, as in many published files, changes nothing.</summary>
    private static LlamaConfig ReadOwn(ConfigFields fields, LlamaConfig config)
    {
        const int WindowedFrom = 28;
        if (!fields.Flag(UseWindow, false) || fields.Number("max_window_layers", WindowedFrom) >= config.Layers)
            return config;
        const string Allowed = "false: attention within a sliding window cannot be built";
        throw fields.Broken(UseWindow, "true", $"{Allowed}; set it to false if sequences stay within the window");
    }

    private static void WriteOwn(LlamaConfig config, JsonObject json) => json[UseWindow] = false;
}

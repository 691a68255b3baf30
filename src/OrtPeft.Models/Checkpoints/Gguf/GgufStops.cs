using System.Text.Json.Nodes;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>
/// The tokens that end an answer, which llama.cpp knows by further keys and by their texts: the end of a turn is seldom that
/// of a text. HF has them in <c>generation_config.json</c>.
/// </summary>
internal static class GgufStops
{
    private static readonly string[] Keys = ["eos", "eot", "eom"];

    private static readonly string[] Texts =
    [
        "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "<EOT>",
        "_<EOT>", "[EOT]", "<｜end▁of▁sentence｜>", "<end_of_utterance>",
    ];

    /// <summary>The description of generation; null where the end of a text is the only token of the kind.</summary>
    public static string? Describe(GgufFields fields)
    {
        var tokens = fields.List<string>("tokenizer.ggml.tokens") ?? [];
        int[] ids =
        [
            .. Keys.Select(name => fields.Id($"tokenizer.ggml.{name}_token_id")).OfType<int>()
                .Concat(tokens.Index().Where(static t => Texts.Contains(t.Item)).Select(static t => t.Index))
                .Distinct(),
        ];
        return ids.Length < 2
            ? null
            : new JsonObject { ["eos_token_id"] = new JsonArray([.. ids.Select(static id => (JsonNode)id)]) }.ToJsonString();
    }
}

using System.Globalization;
using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>
/// Writes <c>tokenizer_config.json</c>: for GPT2Tokenizer, whose one special token has every role, where words are
/// GPT-2's.
/// </summary>
internal static class TokenizerConfigWriter
{
    public static void Write(Utf8JsonWriter json, BpeModel model)
    {
        json.WriteStartObject();
        json.WriteBoolean("add_prefix_space", model.Settings.AddsPrefixSpace);
        json.WriteStartObject("added_tokens_decoder");
        foreach (var token in model.AddedTokens)
        {
            json.WriteStartObject(token.Id.ToString(CultureInfo.InvariantCulture));
            AddedTokenWriter.WriteFields(json, token);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        if (model.EndOfTextId is { } id)
        {
            json.WriteString("bos_token", model.SpellingOf(model.Frame.Before is [var begin, ..] ? begin : id));
            json.WriteString("eos_token", model.SpellingOf(id));
            json.WriteString("unk_token", model.SpellingOf(id));
        }

        json.WriteBoolean("clean_up_tokenization_spaces", false);
        var isGpt2 = model.Settings.Pattern == WordPattern.Gpt2;
        json.WriteString("tokenizer_class", isGpt2 ? "GPT2Tokenizer" : "PreTrainedTokenizerFast");
        json.WriteEndObject();
    }
}

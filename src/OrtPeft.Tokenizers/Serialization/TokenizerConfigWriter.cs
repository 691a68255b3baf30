using System.Globalization;
using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Writes <c>tokenizer_config.json</c> for the class GPT2Tokenizer, whose one special token has every role.</summary>
internal static class TokenizerConfigWriter
{
    public static void Write(Utf8JsonWriter json, BpeModel model)
    {
        json.WriteStartObject();
        json.WriteBoolean("add_prefix_space", model.Settings.AddsPrefixSpace);
        json.WriteStartObject("added_tokens_decoder");
        foreach (AddedToken token in model.AddedTokens)
        {
            json.WriteStartObject(token.Id.ToString(CultureInfo.InvariantCulture));
            AddedTokenWriter.WriteFields(json, token);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        if (model.EndOfTextId is { } id)
        {
            foreach (string role in (string[])["bos_token", "eos_token", "unk_token"])
                json.WriteString(role, model.SpellingOf(id));
        }
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        json.WriteString("tokenizer_class", "GPT2Tokenizer");
        json.WriteEndObject();
    }
}

using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Writes <c>tokenizer.json</c> with every field the Hugging Face tokenizers library expects.</summary>
internal static class TokenizerJsonWriter
{
    public static void Write(Utf8JsonWriter json, BpeModel model)
    {
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        WriteAddedTokens(json, model);
        WriteNormalizer(json, model.Settings);
        PreTokenizerWriter.Write(json, model.Settings);
        PostProcessorWriter.Write(json, model);
        json.WritePropertyName("decoder");
        PreTokenizerWriter.WriteByteLevel(json, model.Settings);
        WriteModel(json, model);
        json.WriteEndObject();
    }

    private static void WriteAddedTokens(Utf8JsonWriter json, BpeModel model)
    {
        json.WriteStartArray("added_tokens");
        foreach (var token in model.AddedTokens)
        {
            json.WriteStartObject();
            json.WriteNumber("id", token.Id);
            AddedTokenWriter.WriteFields(json, token);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteNormalizer(Utf8JsonWriter json, BpeSettings settings)
    {
        if (!settings.Composes)
        {
            json.WriteNull("normalizer");
            return;
        }

        json.WriteStartObject("normalizer");
        json.WriteString("type", "NFC");
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, BpeModel model)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteString("unk_token", model.Settings.UnknownId is { } id ? model.SpellingOf(id) : null);
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", model.Settings.FusesUnknown);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", model.Settings.TakesWholeWords);
        json.WritePropertyName("vocab");
        VocabularyWriter.Write(json, model);
        json.WriteStartArray("merges");
        foreach (var merge in model.Merges)
            json.WriteStringValue($"{model.SpellingOf(merge.Left)} {model.SpellingOf(merge.Right)}");
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

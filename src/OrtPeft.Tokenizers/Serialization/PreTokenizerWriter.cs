using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Writes what <see cref="ByteLevelWords"/> recognises.</summary>
internal static class PreTokenizerWriter
{
    public static void Write(Utf8JsonWriter json, BpeSettings settings)
    {
        json.WritePropertyName("pre_tokenizer");
        var splitsFirst = settings.Pattern is not null && settings.Pattern != WordPattern.Gpt2;
        if (splitsFirst)
            WritePair(json, settings);
        else
            WriteByteLevel(json, settings);
    }

    public static void WriteByteLevel(Utf8JsonWriter json, BpeSettings settings)
    {
        json.WriteStartObject();
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", settings.AddsPrefixSpace);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", settings.Pattern == WordPattern.Gpt2);
        json.WriteEndObject();
    }

    private static void WritePair(Utf8JsonWriter json, BpeSettings settings)
    {
        json.WriteStartObject();
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        json.WriteStartObject();
        json.WriteString("type", "Split");
        json.WriteStartObject("pattern");
        json.WriteString("Regex", settings.Pattern!.Regex); // Only patterns other than GPT-2's come here.
        json.WriteEndObject();
        json.WriteString("behavior", "Isolated");
        json.WriteBoolean("invert", false);
        json.WriteEndObject();
        WriteByteLevel(json, settings);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

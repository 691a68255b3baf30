using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Writes a template where tokens stand around every text.</summary>
internal static class PostProcessorWriter
{
    public static void Write(Utf8JsonWriter json, BpeModel model)
    {
        json.WritePropertyName("post_processor");
        if (model.Frame.Before.IsEmpty && model.Frame.After.IsEmpty)
            PreTokenizerWriter.WriteByteLevel(json, model.Settings);
        else
            WriteTemplate(json, model);
    }

    private static void WriteTemplate(Utf8JsonWriter json, BpeModel model)
    {
        json.WriteStartObject();
        json.WriteString("type", "TemplateProcessing");
        WritePieces(json, "single", model, ["A"]);
        WritePieces(json, "pair", model, ["A", "B"]);
        json.WriteStartObject("special_tokens");
        foreach (var id in model.Frame.Before.Concat(model.Frame.After).Distinct())
            WriteToken(json, model.SpellingOf(id), id);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteToken(Utf8JsonWriter json, string token, int id)
    {
        json.WriteStartObject(token);
        json.WriteString("id", token);
        json.WriteStartArray("ids");
        json.WriteNumberValue(id);
        json.WriteEndArray();
        json.WriteStartArray("tokens");
        json.WriteStringValue(token);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WritePieces(Utf8JsonWriter json, string name, BpeModel model, string[] sequences)
    {
        json.WriteStartArray(name);
        foreach (var (type, sequence) in sequences.Index())
        {
            foreach (var id in model.Frame.Before)
                WritePiece(json, "SpecialToken", model.SpellingOf(id), type);
            WritePiece(json, "Sequence", sequence, type);
            foreach (var id in model.Frame.After)
                WritePiece(json, "SpecialToken", model.SpellingOf(id), type);
        }

        json.WriteEndArray();
    }

    private static void WritePiece(Utf8JsonWriter json, string kind, string id, int type)
    {
        json.WriteStartObject();
        json.WriteStartObject(kind);
        json.WriteString("id", id);
        json.WriteNumber("type_id", type);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}

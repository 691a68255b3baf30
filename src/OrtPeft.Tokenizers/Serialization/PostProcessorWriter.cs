using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Writes what <see cref="PostProcessorReader"/> reads: a template where tokens stand around every
/// text.</summary>
internal static class PostProcessorWriter
{
    public static void Write(Utf8JsonWriter json, BpeModel model)
    {
        json.WritePropertyName("post_processor");
        if (model.BeginOfTextId is null && model.BehindTextId is null)
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
        foreach (int id in ((int?[])[model.BeginOfTextId, model.BehindTextId]).OfType<int>().Distinct())
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
        foreach ((int type, string sequence) in sequences.Index())
        {
            if (model.BeginOfTextId is { } start)
                WritePiece(json, "SpecialToken", model.SpellingOf(start), type);
            WritePiece(json, "Sequence", sequence, type);
            if (model.BehindTextId is { } end)
                WritePiece(json, "SpecialToken", model.SpellingOf(end), type);
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

using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Writes what <see cref="PostProcessorReader"/> reads: a template where a token starts every text.</summary>
internal static class PostProcessorWriter
{
    public static void Write(Utf8JsonWriter json, BpeModel model)
    {
        json.WritePropertyName("post_processor");
        if (model.BeginOfTextId is { } id)
            WriteTemplate(json, model.SpellingOf(id), id);
        else
            PreTokenizerWriter.WriteByteLevel(json, model.Settings);
    }

    private static void WriteTemplate(Utf8JsonWriter json, string token, int id)
    {
        json.WriteStartObject();
        json.WriteString("type", "TemplateProcessing");
        WritePieces(json, "single", token, ["A"]);
        WritePieces(json, "pair", token, ["A", "B"]);
        json.WriteStartObject("special_tokens");
        json.WriteStartObject(token);
        json.WriteString("id", token);
        json.WriteStartArray("ids");
        json.WriteNumberValue(id);
        json.WriteEndArray();
        json.WriteStartArray("tokens");
        json.WriteStringValue(token);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WritePieces(Utf8JsonWriter json, string name, string token, string[] sequences)
    {
        json.WriteStartArray(name);
        foreach ((int type, string sequence) in sequences.Index())
        {
            WritePiece(json, "SpecialToken", token, type);
            WritePiece(json, "Sequence", sequence, type);
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

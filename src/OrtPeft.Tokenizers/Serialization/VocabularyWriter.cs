using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Writes token → id in id order.</summary>
internal static class VocabularyWriter
{
    public static void Write(Utf8JsonWriter json, BpeModel model)
    {
        json.WriteStartObject();
        for (var id = 0; id < model.Tokens.Length; id++)
        {
            if (model.Tokens[id] is { } token)
                json.WriteNumber(token, id);
        }

        json.WriteEndObject();
    }
}

using System.Text.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Writes what <see cref="AddedTokenReader"/> reads.</summary>
internal static class AddedTokenWriter
{
    public static void WriteFields(Utf8JsonWriter json, AddedToken token)
    {
        json.WriteString("content", token.Content);
        json.WriteBoolean("single_word", token.IsSingleWord);
        json.WriteBoolean("lstrip", token.StripsLeft);
        json.WriteBoolean("rstrip", token.StripsRight);
        json.WriteBoolean("normalized", token.IsNormalized);
        json.WriteBoolean("special", token.IsSpecial);
    }
}

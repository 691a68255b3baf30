using System.Text.Json;

namespace OrtPeft.Tensors.Storage;

/// <summary>Checks that <c>System.Text.Json</c> puts off until a value is asked for.</summary>
internal static class JsonText
{
    /// <summary>
    /// Checks that a text is JSON whose every string and name is Unicode: no bytes that are not UTF-8, no half of an
    /// escaped surrogate pair. Documents and nodes parse without a word and fail with an
    /// <see cref="InvalidOperationException"/> at the first look at such a string.
    /// </summary>
    /// <param name="utf8">The whole text, without a byte order mark.</param>
    /// <exception cref="JsonException">It is not; the message and the position say where.</exception>
    public static void Check(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                CheckString(utf8, ref reader);
        }
    }

    private static void CheckString(ReadOnlySpan<byte> utf8, ref Utf8JsonReader reader)
    {
        try
        {
            reader.GetString();
        }
        catch (InvalidOperationException e)
        {
            var start = utf8[..(int)reader.TokenStartIndex];
            var line = start.Count((byte)'\n');
            var column = start.Length - 1 - start.LastIndexOf((byte)'\n');
            var message = $"A string is not valid Unicode. LineNumber: {line} | BytePositionInLine: {column}.";
            throw new JsonException(message, path: null, line, column, e);
        }
    }
}

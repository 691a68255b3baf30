using System.Text.Json;

namespace OrtPeft.Server;

/// <summary>A field with a text, an array of texts, tokens, or an array of arrays of tokens.</summary>
internal static class TextOrTokens
{
    /// <summary>The tokens of each.</summary>
    /// <param name="fields">The request.</param>
    /// <param name="name">The field.</param>
    /// <param name="most">How many there may be.</param>
    /// <param name="encode">The tokens of a text.</param>
    public static IReadOnlyList<IReadOnlyList<int>> Of(
        Fields fields, string name, int most, Func<string, IReadOnlyList<int>> encode)
    {
        var given = fields.Get(name) ?? throw ApiException.Field(name, "missing; expected a text or tokens.");
        if (given.ValueKind == JsonValueKind.String)
            return [encode(given.GetString()!)];
        if (given.ValueKind != JsonValueKind.Array || given.GetArrayLength() == 0)
            throw Wrong();
        if (given.EnumerateArray().All(static t => t.ValueKind == JsonValueKind.Number))
            return [Tokens(given)];
        if (given.GetArrayLength() > most)
            throw ApiException.Field(name, $"{given.GetArrayLength()} are more than {most}; send several requests.");
        return [.. given.EnumerateArray().Select(p => p.ValueKind switch
        {
            JsonValueKind.String => encode(p.GetString()!),
            JsonValueKind.Array => Tokens(p),
            _ => throw Wrong(),
        })];

        int[] Tokens(JsonElement array) => [.. array.EnumerateArray().Select(t =>
            t.ValueKind == JsonValueKind.Number && t.TryGetInt32(out var id) ? id : throw Wrong())];

        ApiException Wrong() => ApiException.Field(
            name, "expected a text, an array of texts, tokens, or an array of arrays of tokens.");
    }
}

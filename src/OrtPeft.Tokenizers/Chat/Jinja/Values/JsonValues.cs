using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>JSON as Python's <c>json.loads</c> reads it: whole numbers without bound, floats apart.</summary>
internal static class JsonValues
{
    public static object? Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => OfObject(element),
        JsonValueKind.Array => new PyList(element.EnumerateArray().Select(Of)),
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number => OfNumber(element.GetRawText()),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    private static PyDict OfObject(JsonElement element)
    {
        var dict = new PyDict();
        foreach (var member in element.EnumerateObject())
            dict.Set(member.Name, Of(member.Value));
        return dict;
    }

    private static object OfNumber(string text) => text.AsSpan().ContainsAny('.', 'e', 'E')
        ? double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)
        : BigInteger.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
}

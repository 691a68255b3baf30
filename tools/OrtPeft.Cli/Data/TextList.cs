using System.Text.Json;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Data;

/// <summary>Reads texts from a file: a JSON list of strings, or JSON Lines of objects with <c>text</c>.</summary>
internal static class TextList
{
    private const string Expected = "expected a JSON list of strings, or lines {\"text\": …}";

    /// <exception cref="UsageException">The file is neither; the message names the entry or the line.</exception>
    public static IReadOnlyList<string> Read(string file)
    {
        var content = File.ReadAllText(file);
        return content.AsSpan().TrimStart().StartsWith("[") ? ReadList(file, content) : [.. ReadLines(file, content)];
    }

    private static List<string> ReadList(string file, string content)
    {
        using var document = Parse(content, file);
        return [.. document.RootElement.EnumerateArray().Select((e, i) => Text(e, $"{file}: entry {i + 1}"))];
    }

    private static IEnumerable<string> ReadLines(string file, string content)
    {
        var number = 0;
        foreach (var line in content.Split('\n'))
        {
            number++;
            if (line.AsSpan().Trim().IsEmpty)
                continue;
            var place = $"{file}: line {number}";
            using var document = Parse(line, place);
            var isRow = document.RootElement.ValueKind == JsonValueKind.Object;
            if (!isRow || !document.RootElement.TryGetProperty("text", out var text))
                throw new UsageException($"{place}: no \"text\" is there; {Expected}.");
            yield return Text(text, place);
        }
    }

    private static JsonDocument Parse(string json, string place)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
            throw new UsageException($"{place}: not JSON; {Expected}.");
        }
    }

    private static string Text(JsonElement element, string place)
    {
        if (element.ValueKind != JsonValueKind.String)
            throw new UsageException($"{place}: no string; {Expected}.");
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new UsageException($"{place}: half of a surrogate pair stands alone, which is not text; correct it.");
        }
    }
}

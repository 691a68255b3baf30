using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Adapters.Modules;
using OrtPeft.Cli.Errors;

namespace OrtPeft.Cli.Options;

/// <summary>Turns what people type into the JSON of configuration fields.</summary>
internal static class FieldText
{
    private const StringSplitOptions Trimmed = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;

    /// <summary><c>a,b</c> becomes a list; a pattern or <c>all-linear</c> stays one text.</summary>
    public static JsonNode Targets(string text)
    {
        var targets = ModuleTargets.Parse(text);
        if (targets.Pattern is { } pattern)
            return pattern;
        return new JsonArray([.. targets.Names.Select(static name => (JsonNode?)name)]);
    }

    /// <summary><c>a=4,b=16</c> becomes an object of numbers.</summary>
    public static JsonObject Pattern(string option, string text)
    {
        var json = new JsonObject();
        foreach (var entry in Entries(option, text))
        {
            var sign = entry.LastIndexOf('=');
            if (sign <= 0 || !TypedNumber.TryRead(entry[(sign + 1)..], out double number))
                throw new UsageException(
                    $"{option} has '{entry}'; it must be NAME=NUMBER, numbers with a decimal point.");
            if (!json.TryAdd(entry[..sign], number))
                throw new UsageException($"{option} has '{entry[..sign]}' twice; give it once.");
        }

        return json;
    }

    /// <summary><c>0,1</c> becomes a list of numbers.</summary>
    public static JsonArray WholeNumbers(string option, string text) => new([.. Entries(option, text).Select(part =>
        TypedNumber.TryRead(part, out int number)
            ? (JsonNode?)number
            : throw new UsageException($"{option} has '{part}'; it must be whole numbers with commas."))]);

    private static string[] Entries(string option, string text) =>
        text.Split(',', Trimmed) is { Length: > 0 } entries
            ? entries
            : throw new UsageException($"{option} is '{text}'; give at least one entry, or leave it out.");

    /// <summary><c>field=value</c>; the value is JSON where it can be read so, else text.</summary>
    public static KeyValuePair<string, JsonNode?> Assignment(string text)
    {
        var sign = text.IndexOf('=', StringComparison.Ordinal);
        if (sign <= 0)
            throw new UsageException($"--set is '{text}'; it must be FIELD=VALUE.");
        return KeyValuePair.Create(text[..sign], Literal(text[(sign + 1)..]));
    }

    /// <summary>JSON where it can be read so, else text.</summary>
    public static JsonNode? Literal(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
    }
}

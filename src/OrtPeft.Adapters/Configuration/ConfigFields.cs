using System.Globalization;
using System.Text.Json.Nodes;

namespace OrtPeft.Adapters.Configuration;

/// <summary>
/// Typed reads from an <c>adapter_config.json</c>. A field of the wrong kind is an error that names it; fields that
/// nobody
/// reads are kept for writing back.
/// </summary>
public sealed class ConfigFields
{
    private const string ANumber = "a number";

    private readonly JsonObject _json;
    private readonly string _source;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    /// <summary>Wraps a parsed file.</summary>
    /// <param name="json">The file's content; not changed.</param>
    /// <param name="source">What messages call the file.</param>
    public ConfigFields(JsonObject json, string source)
    {
        _json = json;
        _source = source;
    }

    /// <summary>The fields that were not read, as a new object.</summary>
    public JsonObject Unread => new(
        _json.Where(f => !_read.Contains(f.Key)).Select(static f => KeyValuePair.Create(f.Key, f.Value?.DeepClone())));

    /// <summary>The raw field, or null when absent or null.</summary>
    /// <param name="field">Its name.</param>
    /// <returns>The JSON.</returns>
    public JsonNode? Json(string field)
    {
        _read.Add(field);
        return _json[field];
    }

    /// <summary>A text.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="otherwise">The value when absent or null.</param>
    /// <returns>The text.</returns>
    public string? Text(string field, string? otherwise = null) => Read(field, otherwise, "a text");

    /// <summary>A whole number.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="otherwise">The value when absent or null.</param>
    /// <returns>The number.</returns>
    public int Integer(string field, int otherwise) => Read(field, otherwise, "a whole number");

    /// <summary>A number.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="otherwise">The value when absent or null.</param>
    /// <returns>The number.</returns>
    public double Number(string field, double otherwise) => Read(field, otherwise, ANumber);

    /// <summary>Refuses null where a number is needed: to HF PEFT it is not the default.</summary>
    /// <param name="names">The fields; they may be absent.</param>
    /// <exception cref="ConfigException">One is null; the message names it.</exception>
    public void RefuseNull(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (_json.TryGetPropertyValue(name, out var value) && value is null)
                throw Wrong(name, value, $"{ANumber}, or left out for the default");
        }
    }

    /// <summary>True or false.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="otherwise">The value when absent or null.</param>
    /// <returns>The value.</returns>
    /// <remarks>A number counts as in Python: 0 is false, others are true.</remarks>
    public bool Flag(string field, bool otherwise) =>
        Json(field) is JsonValue value && value.TryGetValue<double>(out var number)
            ? number != 0
            : Read(field, otherwise, "true or false");

    /// <summary>A list, or one element standing for a list of one.</summary>
    /// <typeparam name="T">The elements' type.</typeparam>
    /// <param name="field">Its name.</param>
    /// <returns>The elements, or null when absent or null.</returns>
    public IReadOnlyList<T>? List<T>(string field) => Json(field) switch
    {
        null => null,
        JsonArray list => [.. list.Select(e => Convert<T>(e, field, "a list"))],
        var single => [Convert<T>(single, field, "a list")],
    };

    /// <summary>An object of values by name, in file order.</summary>
    /// <typeparam name="T">The values' type.</typeparam>
    /// <param name="field">Its name.</param>
    /// <returns>The entries; empty when absent or null.</returns>
    public IReadOnlyList<KeyValuePair<string, T>> Map<T>(string field) => Json(field) switch
    {
        null => [],
        JsonObject map =>
            [.. map.Select(e => KeyValuePair.Create(e.Key, Convert<T>(e.Value, field, "an object of numbers")))],
        var other => throw Wrong(field, other, "an object"),
    };

    /// <summary>
    /// Refuses a field whose value would change the mathematics in a way that is not supported. The field stays
    /// unread: an "off" is written back as it was.
    /// </summary>
    /// <param name="field">Its name.</param>
    /// <param name="instead">What to do.</param>
    /// <exception cref="ConfigException">
    /// The field is there, and neither null, false, nor an empty list. An empty object switches on: HF PEFT makes of it
    /// one of all defaults.
    /// </exception>
    public void Refuse(string field, string instead)
    {
        if (!FieldsWithoutEffect.IsOff(_json[field]) || _json[field] is JsonObject)
        {
            throw new ConfigException(
                $"{_source}: {field} is {_json[field]!.ToJsonString()}, which is not supported; {instead}.");
        }
    }

    /// <summary>
    /// Refuses a field with any value but the one that is computed. The field stays unread and is written back.
    /// </summary>
    /// <param name="field">Its name.</param>
    /// <param name="only">The value that it may have; absent and null are allowed too.</param>
    /// <exception cref="ConfigException">It has another one.</exception>
    public void RefuseOtherThan(string field, JsonNode only)
    {
        if (_json[field] is { } json && !JsonNode.DeepEquals(json, only))
            throw new ConfigException(
                $"{_source}: {field} is {json.ToJsonString()}, which is not supported; leave it out.");
    }

    private T Read<T>(string field, T otherwise, string kind) =>
        Json(field) is { } json ? Convert<T>(json, field, kind) : otherwise;

    private T Convert<T>(JsonNode? json, string field, string kind)
    {
        if (json is JsonValue value && value.TryGetValue<T>(out var result))
            return result;
        if (typeof(T) == typeof(int) && json is JsonValue number && number.TryGetValue<double>(out var d))
        {
            var whole = (int)d;
            if (whole == d)
                return (T)(object)whole;
        }

        throw Wrong(field, json, kind);
    }

    private ConfigException Wrong(string field, JsonNode? json, string kind) =>
        new($"{_source}: {field} is {json?.ToJsonString() ?? "null"}; it must be {kind}{(kind == ANumber ? Hint(json) : "")}.");

    /// <summary>JSON's numbers have a decimal point; a text with one comma between digits has it elsewhere.</summary>
    private static string Hint(JsonNode? json)
    {
        if (json is not JsonValue value || !value.TryGetValue<string>(out var text) || text.AsSpan().Count(',') != 1)
            return "";
        var meant = text.Replace(',', '.');
        return double.TryParse(meant, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? $": write {meant}" : "";
    }
}

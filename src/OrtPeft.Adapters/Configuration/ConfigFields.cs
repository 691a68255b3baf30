using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Configuration;

/// <summary>
/// Typed reads from an <c>adapter_config.json</c>. A field of the wrong kind is an error that names it; fields that
/// nobody reads are kept for writing back.
/// </summary>
public sealed class ConfigFields
{
    private const string ANumber = "a number";

    /// <summary>Parsers of the elements of a configuration's lists and maps, by type.</summary>
    private static readonly Dictionary<Type, Delegate> Parsers = new()
    {
        [typeof(string)] = (JsonFields.Parser<string>)JsonFields.IsText,
        [typeof(bool)] = (JsonFields.Parser<bool>)JsonFields.IsFlag,
        [typeof(int)] = (JsonFields.Parser<int>)IsWhole,
        [typeof(double)] = (JsonFields.Parser<double>)JsonFields.IsNumber,
    };

    private readonly JsonObject _json;
    private readonly string _source;
    private readonly JsonFields _fields;

    /// <summary>Wraps a parsed file.</summary>
    /// <param name="json">The file's content; not changed.</param>
    /// <param name="source">What messages call the file.</param>
    public ConfigFields(JsonObject json, string source)
    {
        var element = JsonSerializer.SerializeToElement(json);
        _json = JsonObject.Create(element)!; // numbers are JSON's from here on, whatever they were made from
        _source = source;
        _fields = new JsonFields(element, Wrong);
    }

    /// <summary>The fields that were not read, as a new object.</summary>
    public JsonObject Unread => new(
        _fields.Unread.Select(f => KeyValuePair.Create(f.Name, _json[f.Name]?.DeepClone())));

    /// <summary>The raw field, or null when absent or null.</summary>
    /// <param name="field">Its name.</param>
    /// <returns>The JSON.</returns>
    public JsonNode? Json(string field)
    {
        _fields.Know(field);
        return _json[field];
    }

    /// <summary>A text.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="otherwise">The value when absent or null.</param>
    /// <returns>The text.</returns>
    public string? Text(string field, string? otherwise = null) =>
        _fields.Read(field, "a text", JsonFields.IsText, otherwise);

    /// <summary>A whole number.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="otherwise">The value when absent or null.</param>
    /// <returns>The number.</returns>
    public int Integer(string field, int otherwise) => _fields.Read(field, "a whole number", IsWhole, otherwise);

    /// <summary>A number.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="otherwise">The value when absent or null.</param>
    /// <returns>The number.</returns>
    public double Number(string field, double otherwise) =>
        _fields.Read(field, ANumber, JsonFields.IsNumber, otherwise);

    /// <summary>Refuses null where a number is needed: to HF PEFT it is not the default.</summary>
    /// <param name="names">The fields; they may be absent.</param>
    /// <exception cref="ConfigException">One is null; the message names it.</exception>
    public void RefuseNull(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (_fields.IsThere(name) && _json[name] is null)
                throw ConfigException.At(_source, $"{name} is null; it must be {ANumber}, or left out for the default.");
        }
    }

    /// <summary>True or false.</summary>
    /// <param name="field">Its name.</param>
    /// <param name="otherwise">The value when absent or null.</param>
    /// <returns>The value.</returns>
    /// <remarks>A number counts as in Python: 0 is false, others are true.</remarks>
    public bool Flag(string field, bool otherwise)
    {
        return _fields.Read(field, "true or false", IsTrue, otherwise);

        static bool IsTrue(JsonElement value, out bool result)
        {
            var isNumber = JsonFields.IsNumber(value, out var number);
            result = number != 0;
            return isNumber || JsonFields.IsFlag(value, out result);
        }
    }

    /// <summary>A list, or one element standing for a list of one.</summary>
    /// <typeparam name="T">The elements' type.</typeparam>
    /// <param name="field">Its name.</param>
    /// <returns>The elements, or null when absent or null.</returns>
    public IReadOnlyList<T>? List<T>(string field) => _fields.Find(field) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } list =>
            [.. list.EnumerateArray().Select(e => Convert<T>(e, field, "a list"))],
        { } single => [Convert<T>(single, field, "a list")],
    };

    /// <summary>An object of values by name, in file order.</summary>
    /// <typeparam name="T">The values' type.</typeparam>
    /// <param name="field">Its name.</param>
    /// <returns>The entries; empty when absent or null.</returns>
    public IReadOnlyList<KeyValuePair<string, T>> Map<T>(string field) => _fields.Find(field) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Object } map =>
        [
            .. map.EnumerateObject().Select(e =>
                KeyValuePair.Create(e.Name, Convert<T>(e.Value, field, "an object of numbers"))),
        ],
        { } other => throw Wrong(field, other, "an object"),
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
            throw ConfigException.At(
                _source, $"{field} is {_json[field]!.ToJsonString()}, which is not supported; {instead}.");
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
            throw ConfigException.At(
                _source, $"{field} is {json.ToJsonString()}, which is not supported; leave it out.");
    }

    private T Convert<T>(JsonElement value, string field, string kind) =>
        _fields.Convert(field, value, kind, (JsonFields.Parser<T>)Parsers[typeof(T)]);

    /// <summary>A whole number, be it written with a decimal point.</summary>
    private static bool IsWhole(JsonElement value, out int result)
    {
        if (JsonFields.IsInteger(value, out result))
            return true;
        var isNumber = JsonFields.IsNumber(value, out var number);
        result = (int)number;
        return isNumber && result == number;
    }

    private ConfigException Wrong(string field, JsonElement value, string kind) => ConfigException.At(
        _source,
        $"{field} is {JsonSerializer.Serialize(value)}; it must be {kind}{(kind == ANumber ? Hint(value) : "")}.");

    /// <summary>JSON's numbers have a decimal point; a text with one comma between digits has it elsewhere.</summary>
    private static string Hint(JsonElement value)
    {
        if (!JsonFields.IsText(value, out var text) || text.AsSpan().Count(',') != 1)
            return "";
        var meant = text.Replace(',', '.');
        return double.TryParse(meant, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? $": write {meant}" : "";
    }
}

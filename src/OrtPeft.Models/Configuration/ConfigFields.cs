using System.Text.Json;
using OrtPeft.Onnx.Storage;

namespace OrtPeft.Models.Configuration;

/// <summary>The fields of an object in a JSON file, each checked as it is read.</summary>
internal sealed class ConfigFields
{
    private readonly string _path;
    private readonly string _prefix;
    private readonly JsonElement _object;

    private ConfigFields(string path, string prefix, JsonElement fields)
    {
        _path = path;
        _prefix = prefix;
        _object = fields;
    }

    public static ConfigFields Open(string path)
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            JsonText.Check(bytes);
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new ConfigFields(path, "", document.RootElement.Clone())
                : throw new ModelConfigException($"{path}: must hold a JSON object; fetch or write it again.");
        }
        catch (JsonException e)
        {
            var reason = e.Message.ReplaceLineEndings(" ");
            throw new ModelConfigException($"{path}: is not valid JSON ({reason}); fetch or write it again.", e);
        }
    }

    /// <summary>
    /// The fields of an object inside, named <c>name.field</c> in errors; null when it is absent or null.
    /// </summary>
    public ConfigFields? Section(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Object
            ? new ConfigFields(_path, $"{_prefix}{name}.", value)
            : throw Broken(name, value, "an object or null");
    }

    /// <summary>Whether a field is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    public int Count(string name, int otherwise) => OptionalCount(name) ?? otherwise;

    /// <summary>A number that may be null; when it is absent, what to take instead.</summary>
    public int? OptionalCount(string name, int? whenAbsent) =>
        _object.TryGetProperty(name, out _) ? OptionalCount(name) : whenAbsent;

    public int? OptionalCount(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number > 0)
            return number;
        throw Broken(name, value, "a whole number from 1 to 2147483647");
    }

    /// <summary>A token id; of a list the first.</summary>
    public int? TokenId(string name, int? otherwise)
    {
        if (!_object.TryGetProperty(name, out var value))
            return otherwise;
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0)
            value = value[0];
        if (value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && id >= 0)
            return id;
        throw Broken(name, value, "a token id, a list of them, or null");
    }

    public float Number(string name, float otherwise)
    {
        if (Find(name) is not { } value)
            return otherwise;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out var number) && float.IsFinite(number))
            return number;
        throw Broken(name, value, "a number");
    }

    public bool Flag(string name, bool otherwise) => Find(name)?.ValueKind switch
    {
        null => otherwise,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Broken(name, Find(name)!.Value, "true or false"),
    };

    public string Text(string name, string otherwise)
    {
        if (Find(name) is not { } value)
            return otherwise;
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Broken(name, value, "a string");
    }

    /// <summary>Runs checks on values read from here; their errors gain the file's name.</summary>
    public T Checked<T>(T config, Action<T> check)
    {
        try
        {
            check(config);
            return config;
        }
        catch (ModelConfigException e)
        {
            throw new ModelConfigException($"{_path}: {e.Message}", e);
        }
    }

    public ModelConfigException Broken(string name, string value, string allowed) =>
        new($"{_path}: {_prefix}{name} is {value}; allowed is {allowed}.");

    private ModelConfigException Broken(string name, JsonElement value, string allowed)
    {
        var text = value.GetRawText().ReplaceLineEndings(" ");
        return Broken(name, text.Length > 40 ? text[..40] + "…" : text, allowed);
    }

    private JsonElement? Find(string name) =>
        _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;
}

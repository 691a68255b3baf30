using System.Text.Json;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Configuration;

/// <summary>
/// The fields of an object in a JSON file, each checked as it is read. It remembers which were asked for, so that those
/// that nothing reads can be refused.
/// </summary>
internal sealed class ConfigFields
{
    private readonly string _path;
    private readonly string _prefix;
    private readonly JsonElement _object;
    private readonly bool _isToBuild;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    private ConfigFields(string path, string prefix, JsonElement fields, bool isToBuild)
    {
        _path = path;
        _prefix = prefix;
        _object = fields;
        _isToBuild = isToBuild;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isToBuild">
    /// Whether a graph is to be built from the description; where one is there already, what cannot be built is no
    /// fault.
    /// </param>
    public static ConfigFields Open(string path, bool isToBuild)
    {
        try
        {
            var bytes = InputFile.ReadAllBytes(path);
            JsonText.Check(bytes);
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new ConfigFields(path, "", document.RootElement.Clone(), isToBuild)
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
            ? new ConfigFields(_path, $"{_prefix}{name}.", value, _isToBuild)
            : throw Broken(name, value, "an object or null");
    }

    /// <summary>Whether a field is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    public int Count(string name, int otherwise) => OptionalCount(name) ?? otherwise;

    /// <summary>Whether an object has no fields at all.</summary>
    public bool IsEmpty => !_object.EnumerateObject().Any();

    /// <summary>A number that may be null; when it is absent, what to take instead.</summary>
    public int? OptionalCount(string name, int? whenAbsent)
    {
        var value = OptionalCount(name);
        return _object.TryGetProperty(name, out _) ? value : whenAbsent;
    }

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
        _known.Add(name);
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

    /// <summary>Token ids, one or a list; none when the field is absent or null. They may be outside any
    /// vocabulary.</summary>
    public IReadOnlyList<int> TokenIds(string name)
    {
        if (Find(name) is not { } value)
            return [];
        var items = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToArray() : [value];
        return items.All(static i => i.ValueKind == JsonValueKind.Number && i.TryGetInt32(out _))
            ? [.. items.Select(static i => i.GetInt32())]
            : throw Broken(name, value, "a token id, a list of them, or null");
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

    /// <summary>Strings in a list, or null when the field is absent or null.</summary>
    public string[]? Texts(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(static item => item.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(static item => item.GetString()!)]
            : throw Broken(name, value, "a list of strings, or null");
    }

    /// <summary>Notes fields that are understood although their values do not matter here.</summary>
    public void Know(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            _known.Add(name);
    }

    /// <summary>Refuses a field that is set: not absent, null, false, 0 or empty.</summary>
    public void RefuseWhereSet(string name, string allowed)
    {
        if (Find(name) is { } value && IsSet(value))
            Refuse(name, value, allowed);
    }

    /// <summary>
    /// Refuses fields that nothing has read and that may change what a model computes: those that are set, and not
    /// among the fields that never do.
    /// </summary>
    public void RefuseUnknown()
    {
        foreach (var field in _object.EnumerateObject().Where(f => !_known.Contains(f.Name) && IsSet(f.Value)))
        {
            if (!HarmlessFields.Contains(field.Name))
            {
                const string Allowed = "a field that OrtPeft knows; if this one does not change what the model computes";
                Refuse(field.Name, field.Value, $"{Allowed}, take it out of the file");
            }
        }
    }

    /// <summary>Refuses what cannot be built, where a graph is to be built.</summary>
    public void Refuse(string name, string value, string allowed)
    {
        if (_isToBuild)
            throw Broken(name, value, allowed);
    }

    /// <summary>Runs checks on values read from here, where a graph is to be built; their errors gain the file's
    /// name.</summary>
    public T Checked<T>(T config, Action<T> check)
    {
        if (!_isToBuild)
            return config;
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

    private static bool IsSet(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => false,
        JsonValueKind.Number => !value.TryGetDouble(out var number) || number != 0,
        JsonValueKind.String => value.GetString()!.Length > 0,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        _ => true,
    };

    private void Refuse(string name, JsonElement value, string allowed) => Refuse(name, Shown(value), allowed);

    private ModelConfigException Broken(string name, JsonElement value, string allowed) =>
        Broken(name, Shown(value), allowed);

    private static string Shown(JsonElement value)
    {
        var text = value.GetRawText().ReplaceLineEndings(" ");
        return text.Length > 40 ? text[..40] + "…" : text;
    }

    private JsonElement? Find(string name)
    {
        _known.Add(name);
        return _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}

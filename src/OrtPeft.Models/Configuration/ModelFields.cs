using System.Text.Json;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Configuration;

/// <summary>The fields of a model's description: errors name the file and the field, and say what is allowed.</summary>
internal sealed class ModelFields
{
    private readonly string _path;
    private readonly string _prefix;
    private readonly JsonFields _fields;
    private readonly bool _isToBuild;

    private ModelFields(string path, string prefix, JsonElement fields, bool isToBuild)
    {
        _path = path;
        _prefix = prefix;
        _fields = new JsonFields(fields, Broken);
        _isToBuild = isToBuild;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isToBuild">
    /// Whether a graph is to be built from the description; where one is there already, what cannot be built is no
    /// fault.
    /// </param>
    public static ModelFields Open(string path, bool isToBuild)
    {
        return Of(InputFile.ReadAllBytes(path), path, isToBuild);
    }

    /// <summary>Reads a text.</summary>
    /// <param name="bytes">The text.</param>
    /// <param name="path">What messages call it.</param>
    /// <param name="isToBuild">As above.</param>
    public static ModelFields Of(byte[] bytes, string path, bool isToBuild)
    {
        try
        {
            JsonText.Check(bytes);
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new ModelFields(path, "", document.RootElement.Clone(), isToBuild)
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
    public ModelFields? Section(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Object
            ? new ModelFields(_path, $"{_prefix}{name}.", value, _isToBuild)
            : throw Broken(name, value, "an object or null");
    }

    /// <summary>Whether a graph is to be built from the description.</summary>
    public bool IsToBuild => _isToBuild;

    /// <summary>Whether a field is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    public int Count(string name, int otherwise) => OptionalCount(name) ?? otherwise;

    /// <summary>Whether an object has no fields at all.</summary>
    public bool IsEmpty => _fields.IsEmpty;

    /// <summary>A number that may be null; when it is absent, what to take instead.</summary>
    public int? OptionalCount(string name, int? whenAbsent)
    {
        var value = OptionalCount(name);
        return _fields.IsThere(name) ? value : whenAbsent;
    }

    public int? OptionalCount(string name)
    {
        return _fields.Read<int?>(name, "a whole number from 1 to 2147483647", IsCount, null);

        static bool IsCount(JsonElement value, out int? count)
        {
            count = JsonFields.IsInteger(value, out var number) ? number : null;
            return count > 0;
        }
    }

    /// <summary>A token id; of a list the first.</summary>
    public int? TokenId(string name, int? otherwise)
    {
        if (Find(name) is not { } value)
            return _fields.IsThere(name) ? null : otherwise;
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() > 0)
            value = value[0];
        if (value.ValueKind == JsonValueKind.Null)
            return null;
        return JsonFields.IsInteger(value, out var id) && id >= 0
            ? id
            : throw Broken(name, value, "a token id, a list of them, or null");
    }

    /// <summary>Token ids, one or a list; none when the field is absent or null. They may be outside any
    /// vocabulary.</summary>
    public IReadOnlyList<int> TokenIds(string name)
    {
        if (Find(name) is not { } value)
            return [];
        var items = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToArray() : [value];
        return items.All(static i => JsonFields.IsInteger(i, out _))
            ? [.. items.Select(static i => i.GetInt32())]
            : throw Broken(name, value, "a token id, a list of them, or null");
    }

    /// <summary>A number, or null when the field is absent or null.</summary>
    public double? OptionalNumber(string name)
    {
        return _fields.Read<double?>(name, "a number or null", IsFinite, null);

        static bool IsFinite(JsonElement value, out double? number)
        {
            number = value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var given) ? given : null;
            return number is { } finite && double.IsFinite(finite);
        }
    }

    /// <summary>A number that may be null; when the field is absent, what to take instead.</summary>
    public float? OptionalNumber(string name, float? whenAbsent) =>
        _fields.IsThere(name) ? (float?)OptionalNumber(name) : whenAbsent;

    /// <summary>A number that may be 0, or null when the field is absent or null.</summary>
    public int? OptionalWhole(string name)
    {
        return _fields.Read<int?>(name, "a whole number from 0 to 2147483647, or null", IsWhole, null);

        static bool IsWhole(JsonElement value, out int? count)
        {
            count = JsonFields.IsInteger(value, out var number) ? number : null;
            return count >= 0;
        }
    }

    /// <summary>Whether a field is set: not absent, null, false, 0 or empty.</summary>
    public bool IsOn(string name) => Find(name) is { } value && JsonFields.IsOn(value);

    public float Number(string name, float otherwise)
    {
        return _fields.Read(name, "a number", IsFinite, otherwise);

        static bool IsFinite(JsonElement value, out float number)
        {
            number = 0;
            return value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out number) && float.IsFinite(number);
        }
    }

    public bool Flag(string name, bool otherwise) =>
        _fields.Read(name, "true or false", JsonFields.IsFlag, otherwise);

    public string Text(string name, string otherwise) => _fields.Read(name, "a string", JsonFields.IsText, otherwise);

    /// <summary>Strings in a list, or null when the field is absent or null.</summary>
    public string[]? Texts(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(static item => JsonFields.IsText(item, out _))
            ? [.. value.EnumerateArray().Select(static item => item.GetString()!)]
            : throw Broken(name, value, "a list of strings, or null");
    }

    /// <summary>Numbers in a list, or null when the field is absent or null.</summary>
    public double[]? Numbers(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(IsFinite)
            ? [.. value.EnumerateArray().Select(static item => item.GetDouble())]
            : throw Broken(name, value, "a list of numbers, or null");

        static bool IsFinite(JsonElement item) =>
            item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out var number) && double.IsFinite(number);
    }

    /// <summary>Whole numbers from 0 in a list, or null when the field is absent or null.</summary>
    public int[]? Wholes(string name)
    {
        if (Find(name) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(static item => JsonFields.IsInteger(item, out var number) && number >= 0)
            ? [.. value.EnumerateArray().Select(static item => item.GetInt32())]
            : throw Broken(name, value, "a list of whole numbers from 0, or null");
    }

    /// <summary>Notes fields that are understood although their values do not matter here.</summary>
    public void Know(params ReadOnlySpan<string> names) => _fields.Know(names);

    /// <summary>Refuses a field that is set: not absent, null, false, 0 or empty.</summary>
    public void RefuseWhereSet(string name, string allowed)
    {
        if (Find(name) is { } value && JsonFields.IsOn(value))
            Refuse(name, value, allowed);
    }

    /// <summary>
    /// Refuses fields that nothing has read and that may change what a model computes: those that are set, and not
    /// among the fields that never do.
    /// </summary>
    public void RefuseUnknown()
    {
        foreach (var field in _fields.Unread.Where(static f => JsonFields.IsOn(f.Value)))
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

    private void Refuse(string name, JsonElement value, string allowed) => Refuse(name, Shown(value), allowed);

    private ModelConfigException Broken(string name, JsonElement value, string allowed) =>
        Broken(name, Shown(value), allowed);

    private static string Shown(JsonElement value)
    {
        var text = value.GetRawText().ReplaceLineEndings(" ");
        return text.Length > 40 ? text[..40] + "…" : text;
    }

    private JsonElement? Find(string name) => _fields.Find(name);
}

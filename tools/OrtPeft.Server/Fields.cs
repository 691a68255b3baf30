using System.Text.Json;

namespace OrtPeft.Server;

/// <summary>
/// The fields of a JSON object in a request. A field that nobody asks for is an error in the end: a setting that is passed
/// over in silence would give another answer than was wanted. null counts as absent.
/// </summary>
internal sealed class Fields
{
    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private readonly string _path;

    public Fields(JsonElement element, string path = "")
    {
        _path = path;
        if (element.ValueKind != JsonValueKind.Object)
            throw new ApiException(400, $"{(path.Length == 0 ? "The body" : path[..^1])} must be a JSON object.");
        foreach (var field in element.EnumerateObject().Where(static f => f.Value.ValueKind != JsonValueKind.Null))
            _fields[field.Name] = field.Value;
    }

    /// <summary>A field as it is; null where it is absent.</summary>
    public JsonElement? Get(string name)
    {
        _read.Add(name);
        return _fields.TryGetValue(name, out var value) ? value : null;
    }

    /// <summary>A text.</summary>
    public string? Text(string name) => Get(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => throw Wrong(name, "expected a string"),
    };

    /// <summary>true or false.</summary>
    public bool? Flag(string name) => Get(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Wrong(name, "expected true or false"),
    };

    /// <summary>A number.</summary>
    public double? Number(string name, double least, double most) => Get(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out var number)
            && number >= least && number <= most => number,
        _ => throw Wrong(name, FormattableString.Invariant($"expected a number from {least} to {most}")),
    };

    /// <summary>A whole number.</summary>
    public long? Whole(string name, long least, long most) => Get(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt64(out var number)
            && number >= least && number <= most => number,
        _ => throw Wrong(name, FormattableString.Invariant($"expected a whole number from {least} to {most}")),
    };

    /// <summary>A field that is understood in one value alone.</summary>
    public void Only(string name, Func<JsonElement, bool> isUsual, string why)
    {
        if (Get(name) is { } value && !isUsual(value))
            throw ApiException.Unsupported(_path + name, why);
    }

    /// <summary>Fields that change no answer.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            _read.Add(name);
    }

    /// <summary>Refuses what nobody asked for.</summary>
    public void End()
    {
        if (_fields.Keys.FirstOrDefault(name => !_read.Contains(name)) is { } unknown)
            throw ApiException.Unsupported(_path + unknown, "this parameter is not supported; leave it out.");
    }

    private ApiException Wrong(string name, string expected) => ApiException.Field(_path + name, $"{expected}.");
}

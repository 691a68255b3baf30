using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace OrtPeft.Tensors.Storage;

/// <summary>
/// The fields of a JSON object, each checked as it is read. It remembers which were asked for, so that those that
/// nothing reads can be refused or kept. Not thread-safe.
/// </summary>
internal sealed class JsonFields
{
    private readonly JsonElement _object;
    private readonly Fault _fault;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    /// <summary>Looks at an object.</summary>
    /// <param name="json">The object.</param>
    /// <param name="fault">Makes the error of a value that is not as it must be.</param>
    public JsonFields(JsonElement json, Fault fault)
    {
        _object = json;
        _fault = fault;
    }

    /// <summary>Reads a value of a kind.</summary>
    /// <typeparam name="T">Its type here.</typeparam>
    /// <param name="value">The value; not null.</param>
    /// <param name="result">What it stands for.</param>
    /// <returns>Whether it is of that kind.</returns>
    public delegate bool Parser<T>(JsonElement value, [MaybeNullWhen(false)] out T result);

    /// <summary>Makes an error.</summary>
    /// <param name="field">The field's name.</param>
    /// <param name="value">What it is, or the part of it that is wrong.</param>
    /// <param name="allowed">What it must be: <c>a whole number</c>.</param>
    /// <returns>The exception to throw.</returns>
    public delegate Exception Fault(string field, JsonElement value, string allowed);

    /// <summary>Whether there is no field at all.</summary>
    public bool IsEmpty => !_object.EnumerateObject().Any();

    /// <summary>The fields that were not asked for.</summary>
    public IEnumerable<JsonProperty> Unread => _object.EnumerateObject().Where(f => !_read.Contains(f.Name));

    /// <summary>Notes fields that are understood although their values do not matter here.</summary>
    /// <param name="fields">Their names.</param>
    public void Know(params ReadOnlySpan<string> fields)
    {
        foreach (var field in fields)
            _read.Add(field);
    }

    /// <summary>Whether a field is there, be it null.</summary>
    /// <param name="field">Its name.</param>
    /// <returns>Whether the object has it.</returns>
    public bool IsThere(string field) => _object.TryGetProperty(field, out _);

    /// <summary>A field as it is.</summary>
    /// <param name="field">Its name.</param>
    /// <returns>Its value, or null when it is absent or null.</returns>
    public JsonElement? Find(string field)
    {
        Know(field);
        return _object.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    /// <summary>A field of a kind.</summary>
    /// <typeparam name="T">Its type here.</typeparam>
    /// <param name="field">Its name.</param>
    /// <param name="allowed">What the error calls the kind.</param>
    /// <param name="parse">Reads the kind.</param>
    /// <param name="otherwise">The value when it is absent or null.</param>
    /// <returns>The value.</returns>
    public T Read<T>(string field, string allowed, Parser<T> parse, T otherwise) =>
        Find(field) is { } value ? Convert(field, value, allowed, parse) : otherwise;

    /// <summary>A value in a field.</summary>
    /// <typeparam name="T">Its type here.</typeparam>
    /// <param name="field">The field's name.</param>
    /// <param name="value">The field's value, or part of it.</param>
    /// <param name="allowed">What the error calls the kind.</param>
    /// <param name="parse">Reads the kind.</param>
    /// <returns>The value.</returns>
    public T Convert<T>(string field, JsonElement value, string allowed, Parser<T> parse)
    {
        ArgumentNullException.ThrowIfNull(parse);
        return parse(value, out var result) ? result : throw _fault(field, value, allowed);
    }

    /// <summary>A text.</summary>
    /// <param name="value">The value.</param>
    /// <param name="result">The text.</param>
    /// <returns>Whether it is one.</returns>
    public static bool IsText(JsonElement value, [MaybeNullWhen(false)] out string result)
    {
        result = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return result is not null;
    }

    /// <summary>True or false.</summary>
    /// <param name="value">The value.</param>
    /// <param name="result">Which of them.</param>
    /// <returns>Whether it is one of them.</returns>
    public static bool IsFlag(JsonElement value, out bool result)
    {
        result = value.ValueKind == JsonValueKind.True;
        return result || value.ValueKind == JsonValueKind.False;
    }

    /// <summary>A whole number of 32 bits, without a decimal point.</summary>
    /// <param name="value">The value.</param>
    /// <param name="result">The number.</param>
    /// <returns>Whether it is one.</returns>
    public static bool IsInteger(JsonElement value, out int result)
    {
        result = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out result);
    }

    /// <summary>A number.</summary>
    /// <param name="value">The value.</param>
    /// <param name="result">The number, rounded; infinite where it is too large.</param>
    /// <returns>Whether it is one.</returns>
    public static bool IsNumber(JsonElement value, out double result)
    {
        result = 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out result);
    }

    /// <summary>Whether a value switches something on: it is not null, false, 0 or empty.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Whether it does.</returns>
    public static bool IsOn(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => false,
        JsonValueKind.Number => !value.TryGetDouble(out var number) || number != 0,
        JsonValueKind.String => value.GetString()!.Length > 0,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        _ => true,
    };
}

using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrtPeft.Training.Data;

/// <summary>The JSON object of one line, read field by field; a field that is null counts as absent.</summary>
internal sealed class JsonRow : IDisposable
{
    private readonly JsonDocument _document;
    private readonly List<string> _unused = [];

    private JsonRow(DataPlace place, JsonDocument document)
    {
        Place = place;
        _document = document;
    }

    public DataPlace Place { get; }

    /// <summary>The form of rows that it was brought from; null where it stands as it is read.</summary>
    public string? Found { get; private init; }

    /// <summary>The names of fields that hold something and have no effect.</summary>
    public IReadOnlyList<string> UnusedFields => _unused;

    /// <summary>Parses a row; <paramref name="column"/> is where it begins in its line, from 1.</summary>
    public static JsonRow Parse(DataPlace place, ReadOnlyMemory<byte> line, int column = 1)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(line);
        }
        catch (JsonException error)
        {
            throw Misread(place, line.Span, column, error);
        }

        var row = new JsonRow(place, document);
        if (document.RootElement.ValueKind == JsonValueKind.Object)
            return row;
        using (row)
            throw place.Error($"the row is {Kind(document.RootElement)}; expected an object");
    }

    /// <summary>A row that was brought to the form that is read.</summary>
    public static JsonRow Of(DataPlace place, JsonObject fields, string? found) =>
        new(place, JsonSerializer.SerializeToDocument(fields)) { Found = found };

    /// <summary>A copy of the row to change.</summary>
    public JsonObject ToObject() => JsonNode.Parse(_document.RootElement.GetRawText())!.AsObject(); // it is an object

    /// <summary>Says which of the row's fields are read; the others are unused.</summary>
    public void Used(IReadOnlyList<string> fields) => UsedInside("", _document.RootElement, fields);

    /// <summary>Says it of an object inside the row.</summary>
    public void UsedInside(string path, JsonElement element, params IReadOnlyList<string> fields)
    {
        foreach (var property in element.EnumerateObject())
        {
            var name = NameOf(property);
            if (property.Value.ValueKind != JsonValueKind.Null && !fields.Contains(name))
                Unused(path.Length == 0 ? name : $"{path}.{name}");
        }
    }

    /// <summary>Notes a field that has no effect where it stands.</summary>
    public void Unused(string field)
    {
        if (!_unused.Contains(field))
            _unused.Add(field);
    }

    public bool Has(string field) => Find(_document.RootElement, field) is not null;

    /// <summary>A field's value, or null where it is absent.</summary>
    public JsonElement? Element(string field) => Find(_document.RootElement, field);

    /// <summary>The value of a field of an object inside the row, or null where it is absent.</summary>
    public JsonElement? Element(JsonElement element, string field) => Find(element, field);

    public string Text(string field) => Text(_document.RootElement, field, field);

    /// <summary>A text of an object inside the row; <paramref name="path"/> is its name in messages.</summary>
    public string Text(JsonElement element, string field, string path)
    {
        var value = Find(element, field) ?? throw Place.Error(path, $"missing; expected a string");
        if (value.ValueKind != JsonValueKind.String)
            throw Place.Error(path, $"the value is {Kind(value)}; expected a string");
        try
        {
            return value.GetString()!; // a string token is never null
        }
        catch (InvalidOperationException error)
        {
            throw Place.Error(path, $"the string is not valid Unicode; write the file as UTF-8", error);
        }
    }

    /// <summary>A number of an object inside the row, or null when the field is absent.</summary>
    public double? Number(JsonElement element, string field, string path)
    {
        if (Find(element, field) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : throw Place.Error(path, $"the value is {Kind(value)}; expected a number");
    }

    /// <summary>The elements of an array of objects, each with its name in messages.</summary>
    public IEnumerable<(JsonElement Element, string Path)> Objects(string field)
    {
        var index = 0;
        foreach (var element in Array(field).EnumerateArray())
        {
            var path = FormattableString.Invariant($"{field}[{index++}]");
            if (element.ValueKind != JsonValueKind.Object)
                throw Place.Error(path, $"the value is {Kind(element)}; expected an object");
            yield return (element, path);
        }
    }

    /// <summary>An array of whole numbers, or null when the field is absent.</summary>
    public ImmutableArray<int>? Integers(string field)
    {
        if (!Has(field))
            return null;
        var array = Array(field);
        var values = ImmutableArray.CreateBuilder<int>(array.GetArrayLength());
        foreach (var element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out var value))
            {
                var shown = DataPlace.Quote(element.GetRawText());
                throw Place.Error(field, $"value {values.Count} is {shown}; expected a 32-bit whole number");
            }

            values.Add(value);
        }

        return values.DrainToImmutable();
    }

    public void Dispose() => _document.Dispose();

    private JsonElement Array(string field)
    {
        var value = Find(_document.RootElement, field)
            ?? throw Place.Error(field, $"missing; expected an array");
        if (value.ValueKind != JsonValueKind.Array)
            throw Place.Error(field, $"the value is {Kind(value)}; expected an array");
        return value;
    }

    private JsonElement? Find(JsonElement element, string field)
    {
        try
        {
            var found = element.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null;
            return found ? value : null;
        }
        catch (InvalidOperationException error)
        {
            throw Place.Error($"a field name is not valid Unicode; write the file as UTF-8", error);
        }
    }

    private string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException error)
        {
            throw Place.Error($"a field name is not valid Unicode; write the file as UTF-8", error);
        }
    }

    private static TrainingDataException Misread(
        DataPlace place, ReadOnlySpan<byte> row, int column, JsonException error)
    {
        var lines = (int)(error.LineNumber ?? 0);
        for (var i = 0; i < lines; i++)
            row = row[(row.IndexOf((byte)'\n') + 1)..];
        var bytes = (int)Math.Min(error.BytePositionInLine ?? 0, row.Length);
        var before = Encoding.UTF8.GetCharCount(row[..bytes]);
        return (place with { Line = place.Line + lines }).ErrorAt(
            (lines == 0 ? column : 1) + before, $"not valid JSON; give one JSON object a line", error);
    }

    private static string Kind(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Null => "null",
        _ => throw new System.Diagnostics.UnreachableException($"Bug: JSON value of kind {element.ValueKind}."),
    };
}

using System.Collections.Frozen;
using System.Text.Json;

namespace OrtPeft.Tokenizers.Json;

/// <summary>A JSON value that knows where it stands, so that what is wrong with it is reported with its path.</summary>
internal readonly record struct JsonField(JsonElement Value, SourcePlace Place)
{
    private const string Here = "the document";

    public bool IsObject => Value.ValueKind == JsonValueKind.Object;

    public bool IsString => Value.ValueKind == JsonValueKind.String;

    /// <summary>The name of a component, as its <c>type</c> says; null where it says none.</summary>
    public string? TypeName => Find("type") is { IsString: true } type ? type.AsString() : null;

    /// <summary>A member, or null where it is absent or JSON null.</summary>
    public JsonField? Find(string name)
    {
        Require(JsonValueKind.Object, "an object");
        var found = Value.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null;
        return found ? new JsonField(member, Member(name)) : null;
    }

    public JsonField Get(string name) =>
        Find(name) ?? throw Place.Error($"\"{name}\" is missing; save the tokenizer again with its library");

    public IEnumerable<JsonField> Items()
    {
        Require(JsonValueKind.Array, "an array");
        var place = Place;
        return Value.EnumerateArray().Select((item, index) =>
            new JsonField(item, place with { Path = $"{place.Path}[{index}]" }));
    }

    public IEnumerable<(string Name, JsonField Field)> Members()
    {
        Require(JsonValueKind.Object, "an object");
        var place = Place;
        return Value.EnumerateObject().Select(member => (member.Name, new JsonField(member.Value, place)));
    }

    public string AsString()
    {
        Require(JsonValueKind.String, "a string");
        return Value.GetString() ?? "";
    }

    /// <summary>A string of one code point.</summary>
    public string AsCharacter()
    {
        var text = AsString();
        return text.EnumerateRunes().Count() == 1
            ? text
            : throw Place.Error($"{Shown()} stands where one character is expected");
    }

    /// <summary>A number from 0 on that counts something.</summary>
    public int AsCount() => AsInt32() is >= 0 and var count
        ? count
        : throw Place.Error($"{Shown()} stands where a number from 0 on is expected");

    public double AsDouble()
    {
        Require(JsonValueKind.Number, "a number");
        var number = Value.GetDouble();
        return double.IsFinite(number) ? number : throw Place.Error($"{Shown()} is beyond the range of numbers");
    }

    /// <summary>The row that the field's <c>type</c> names.</summary>
    public T Component<T>(FrozenDictionary<string, T> rows, string kind)
        where T : class
    {
        var type = Get("type");
        return rows.GetValueOrDefault(type.AsString()) ?? throw type.Place.Error(
            $"the {kind} {type.Shown()} is not supported; {string.Join(", ", rows.Keys.Order(StringComparer.Ordinal))} are");
    }

    public int AsInt32()
    {
        Require(JsonValueKind.Number, "a number");
        return Value.TryGetInt32(out var number)
            ? number
            : throw Place.Error($"{Shown()} is not an id; ids are 0..{BpeModelBuilder.IdLimit - 1}");
    }

    public bool AsBoolean() => Value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Expected("true or false"),
    };

    /// <summary>The value for an error message.</summary>
    public string Shown() => IsString
        ? TokenizerFormatException.Quote(AsString())
        : TokenizerFormatException.Shorten(Value.GetRawText());

    private SourcePlace Member(string name) =>
        Place with { Path = Place.Path == Here ? name : $"{Place.Path}.{name}" };

    private void Require(JsonValueKind kind, string expected)
    {
        if (Value.ValueKind != kind)
            throw Expected(expected);
    }

    private TokenizerFormatException Expected(string expected) =>
        Place.Error($"{Shown()} stands where {expected} is expected");

    public static JsonField Root(JsonElement root, string file) => new(root, new SourcePlace(file, Here));
}

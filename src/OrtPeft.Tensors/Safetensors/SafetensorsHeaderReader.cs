using System.Collections.Immutable;
using System.Text.Json;

namespace OrtPeft.Tensors.Safetensors;

/// <summary>Reads a header's JSON token by token, without a tree, and refuses what the format does not allow.</summary>
internal sealed class SafetensorsHeaderReader(string path)
{
    private const string MetadataKey = "__metadata__";
    private const int MaxDepth = 16;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    public string Path { get; } = path;

    public List<SafetensorsEntry> Entries { get; } = [];

    public SortedDictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads the header, padding included.</summary>
    /// <exception cref="JsonException">Not well-formed, too deep, or followed by something else.</exception>
    public void Read(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
            throw new OnnxFormatException($"{Path}: the header does not begin with '{{'; it is not a safetensors file.");
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            if (!_names.Add(name))
                throw new OnnxFormatException($"{Path}: names '{name}' twice; write the file again.");
            reader.Read();
            if (name == MetadataKey)
                ReadMetadata(ref reader);
            else
                Entries.Add(ReadEntry(ref reader, name));
        }

        // Only white space may follow; anything else throws.
        reader.Read();
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return;
        Expect(ref reader, JsonTokenType.StartObject, MetadataKey, "be an object of strings");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var key = reader.GetString()!;
            reader.Read();
            Expect(ref reader, JsonTokenType.String, $"{MetadataKey}.{key}", "be a string");
            if (!Metadata.TryAdd(key, reader.GetString()!))
                throw new OnnxFormatException($"{Path}: {MetadataKey} has '{key}' twice; write the file again.");
        }
    }

    private SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.StartObject, name, "be an object with dtype, shape and data_offsets");
        ElementType? type = null;
        long[]? dims = null;
        long[]? offsets = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (key == "dtype" && type is null)
                type = ReadType(ref reader, name);
            else if (key == "shape" && dims is null)
                dims = ReadNumbers(ref reader, name, key);
            else if (key == "data_offsets" && offsets is null)
                offsets = ReadNumbers(ref reader, name, key);
            else if (key is "dtype" or "shape" or "data_offsets")
                throw Broken(name, $"states {key} twice");
            else
                reader.Skip();
        }

        if (type is null || dims is null || offsets is null)
            throw Broken(name, $"lacks {(type is null ? "dtype" : dims is null ? "shape" : "data_offsets")}");
        if (offsets.Length != 2 || offsets[0] > offsets[1])
            throw Broken(name, $"has data_offsets [{string.Join(", ", offsets)}], not [begin, end] with begin ≤ end");
        return new SafetensorsEntry(name, type.Value, [.. dims], offsets[0], offsets[1]);
    }

    private ElementType ReadType(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String, $"{name}.dtype", "be a string");
        var dtype = reader.GetString()!;
        return SafetensorsDtypes.Find(dtype)
            ?? throw Broken(name, $"has dtype '{dtype}', which is none of {SafetensorsDtypes.Names}");
    }

    private long[] ReadNumbers(ref Utf8JsonReader reader, string name, string key)
    {
        Expect(ref reader, JsonTokenType.StartArray, $"{name}.{key}", "be a list of numbers");
        var numbers = ImmutableArray.CreateBuilder<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw Broken(name, $"has the {key} entry {Text(ref reader)}, which is not a whole number ≥ 0");
            numbers.Add(number);
        }

        return numbers.ToArray();
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string place, string what)
    {
        if (reader.TokenType != type)
            throw new OnnxFormatException($"{Path}: '{place}' must {what}, not {Text(ref reader)}; write it again.");
    }

    private static string Text(ref Utf8JsonReader reader) =>
        reader.TokenType is JsonTokenType.Number or JsonTokenType.String && reader.ValueSpan.Length < 40
            ? System.Text.Encoding.UTF8.GetString(reader.ValueSpan)
            : reader.TokenType.ToString();

    private OnnxFormatException Broken(string name, string what) =>
        new($"{Path}: tensor '{name}' {what}; write the file again.");
}

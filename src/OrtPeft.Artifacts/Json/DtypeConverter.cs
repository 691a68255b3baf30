using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using OrtPeft.Tensors;

namespace OrtPeft.Artifacts.Json;

/// <summary>Element types by the names that numpy and ONNX Runtime's web API have for them.</summary>
internal sealed class DtypeConverter : JsonConverter<ElementType>
{
    private static readonly FrozenDictionary<string, ElementType> Types = new Dictionary<string, ElementType>
    {
        ["float32"] = ElementType.Float,
        ["float64"] = ElementType.Double,
        ["float16"] = ElementType.Float16,
        ["bfloat16"] = ElementType.BFloat16,
        ["int8"] = ElementType.Int8,
        ["int16"] = ElementType.Int16,
        ["int32"] = ElementType.Int32,
        ["int64"] = ElementType.Int64,
        ["uint8"] = ElementType.UInt8,
        ["uint16"] = ElementType.UInt16,
        ["uint32"] = ElementType.UInt32,
        ["uint64"] = ElementType.UInt64,
        ["bool"] = ElementType.Bool,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<ElementType, string> Names =
        Types.ToFrozenDictionary(static t => t.Value, static t => t.Key);

    public override ElementType Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var name = reader.TokenType == JsonTokenType.String ? reader.GetString()! : $"a {reader.TokenType}";
        return Types.TryGetValue(name, out var type)
            ? type
            : throw new JsonException($"dtype is {name}; it must be one of {string.Join(", ", Types.Keys.Order())}");
    }

    public override void Write(Utf8JsonWriter writer, ElementType value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Names.TryGetValue(value, out var name) ? name : throw new JsonException(
            $"Values of the type {value} cannot be fed to a model; artifacts have none."));
}

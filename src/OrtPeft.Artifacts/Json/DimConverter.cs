using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts.Json;

/// <summary>An axis as a number, a text or null.</summary>
internal sealed class DimConverter : JsonConverter<ArtifactDim>
{
    public override bool HandleNull => true;

    public override ArtifactDim Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType switch
        {
            JsonTokenType.Null => ArtifactDim.Named(null),
            JsonTokenType.String => ArtifactDim.Named(reader.GetString()),
            JsonTokenType.Number when reader.TryGetInt64(out var length) && length >= 0 => ArtifactDim.Of(length),
            _ => throw new JsonException("an axis must be a whole number from 0, a name or null"),
        };

    public override void Write(Utf8JsonWriter writer, ArtifactDim value, JsonSerializerOptions options)
    {
        if (value.Length is { } length)
            writer.WriteNumberValue(length);
        else
            writer.WriteStringValue(value.Name);
    }
}

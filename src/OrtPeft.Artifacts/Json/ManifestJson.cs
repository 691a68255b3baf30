using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts.Json;

/// <summary>How the manifest's records become JSON, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(ArtifactManifest))]
[JsonSerializable(typeof(ManifestVersion))]
internal sealed partial class ManifestJson : JsonSerializerContext;

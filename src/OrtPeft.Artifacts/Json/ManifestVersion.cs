namespace OrtPeft.Artifacts.Json;

/// <summary>The one field that every version of the manifest has.</summary>
internal sealed record ManifestVersion(int? FormatVersion = null);

using System.Globalization;
using System.Text.Json.Serialization;
using OrtPeft.Artifacts.Json;

namespace OrtPeft.Artifacts;

/// <summary>One axis: a length, or a name for one; neither where nothing is known.</summary>
[JsonConverter(typeof(DimConverter))]
public readonly record struct ArtifactDim
{
    private ArtifactDim(long? length, string? name) => (Length, Name) = (length, name);

    /// <summary>The length, 0 or more, or null.</summary>
    public long? Length { get; }

    /// <summary>The name, or null.</summary>
    public string? Name { get; }

    /// <summary>A fixed axis.</summary>
    /// <param name="length">The length, 0 or more.</param>
    /// <returns>The axis.</returns>
    public static ArtifactDim Of(long length) => new(length, null);

    /// <summary>An axis whose length the data decides.</summary>
    /// <param name="name">Its name, or null.</param>
    /// <returns>The axis.</returns>
    public static ArtifactDim Named(string? name) => new(null, name);

    /// <inheritdoc/>
    public override string ToString() => Length?.ToString(CultureInfo.InvariantCulture) ?? Name ?? "?";
}

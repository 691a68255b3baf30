using System.Text.Json.Serialization;
using OrtPeft.Artifacts.Json;
using OrtPeft.Tensors;

namespace OrtPeft.Artifacts;

/// <summary>An input or output of a model.</summary>
public sealed record ArtifactValue
{
    /// <summary>Its name in the model.</summary>
    public required string Name { get; init; }

    /// <summary>Its role: one of <see cref="ValueRoles"/>.</summary>
    public required string Role { get; init; }

    /// <summary>The element type, in the file by numpy's name; null for a sequence of tensors.</summary>
    [JsonConverter(typeof(DtypeConverter))]
    public ElementType? Dtype { get; init; }

    /// <summary>
    /// The axes: a number, a name that stands for the same length everywhere, or null where nothing is known; null
    /// (default) where even their number is unknown.
    /// </summary>
    public IReadOnlyList<ArtifactDim>? Dims { get; init; }

    /// <summary>The parameter that it belongs to, by its name on disk; null (default) for all else.</summary>
    public string? Parameter { get; init; }
}

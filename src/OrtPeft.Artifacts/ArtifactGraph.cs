using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>A model of an artifact folder, and what goes in and out.</summary>
public sealed record ArtifactGraph
{
    /// <summary>The <c>.onnx</c> file, relative to the folder.</summary>
    public required string File { get; init; }

    /// <summary>Everything that has to be fed, in the model's order.</summary>
    public required IReadOnlyList<ArtifactValue> Inputs { get; init; }

    /// <summary>The results, in the model's order.</summary>
    public required IReadOnlyList<ArtifactValue> Outputs { get; init; }

    /// <summary>The input of a role that at most one input has.</summary>
    /// <param name="role">One of <see cref="ValueRoles"/>.</param>
    /// <returns>The input, or null.</returns>
    public ArtifactValue? Input(string role) => Inputs.FirstOrDefault(v => v.Role == role);

    /// <summary>The output of a role that at most one output has.</summary>
    /// <param name="role">One of <see cref="ValueRoles"/>.</param>
    /// <returns>The output, or null.</returns>
    public ArtifactValue? Output(string role) => Outputs.FirstOrDefault(v => v.Role == role);

    /// <summary>The state of an optimiser: the inputs that an output replaces, but for the parameters.</summary>
    [JsonIgnore]
    internal IEnumerable<ArtifactValue> States => Inputs.Where(
        i => i.Role != ValueRoles.Parameters && Output(ValueRoles.Updated(i.Role)) is not null);
}

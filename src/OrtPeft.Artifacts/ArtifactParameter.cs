using System.Text.Json.Serialization;

namespace OrtPeft.Artifacts;

/// <summary>A tensor that trains; float32.</summary>
public sealed record ArtifactParameter
{
    /// <summary>Its name on disk, HF PEFT's.</summary>
    public required string Name { get; init; }

    /// <summary>The input of the training and the evaluation model that takes it.</summary>
    public required string Input { get; init; }

    /// <summary>
    /// The output of the training model that is its gradient; null (default) where gradients stay inside the runtime.
    /// </summary>
    public string? Gradient { get; init; }

    /// <summary>The axes' lengths.</summary>
    public required IReadOnlyList<long> Dims { get; init; }

    /// <summary>
    /// Where it begins in the optimiser's flat vectors, in elements; null (default) where there are none.
    /// </summary>
    public long? Offset { get; init; }

    /// <summary>The factor on its learning rate; 1 by default.</summary>
    [JsonRequired]
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>Whether weight decay leaves it as it is. False by default, and not written then.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsExemptFromDecay { get; init; }

    /// <summary>The number of elements.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public long Count => Dims.Aggregate(1L, static (product, dim) => checked(product * dim));
}

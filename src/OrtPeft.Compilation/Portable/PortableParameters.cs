using OrtPeft.Adapters;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;

namespace OrtPeft.Compilation.Portable;

/// <summary>A model's parameters as the portable graphs take them, and their places in the flat vectors.</summary>
/// <param name="All">The parameters in the graph's order.</param>
/// <param name="FlatLength">The length of the flat vectors, in elements.</param>
public sealed record PortableParameters(IReadOnlyList<ArtifactParameter> All, long FlatLength)
{
    /// <summary>Lays the parameters out.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <param name="learningRateFactor">What a parameter's learning rate is multiplied by.</param>
    /// <param name="isExemptFromDecay">Whether weight decay leaves a parameter as it is; null (default) where it
    /// leaves none.</param>
    /// <returns>The parameters.</returns>
    public static PortableParameters Of(
        PeftModel peft,
        Func<AdapterParameter, double> learningRateFactor,
        Func<AdapterParameter, bool>? isExemptFromDecay = null)
    {
        ArgumentNullException.ThrowIfNull(peft);
        ArgumentNullException.ThrowIfNull(learningRateFactor);
        var parameters = new List<ArtifactParameter>(peft.Parameters.Count);
        long offset = 0;
        foreach (var parameter in peft.Parameters)
        {
            var tensor = parameter.Value.Initializer!;
            parameters.Add(new ArtifactParameter
            {
                Name = parameter.Name,
                Input = parameter.Name,
                Gradient = TrainingGraph.GradientOf(parameter.Name),
                Dims = [.. tensor.Dims],
                Offset = offset,
                LearningRateFactor = learningRateFactor(parameter),
                IsExemptFromDecay = isExemptFromDecay?.Invoke(parameter) ?? false,
            });
            offset = FlatLayout.After(offset, tensor.Count);
        }

        return new PortableParameters(parameters, offset);
    }
}

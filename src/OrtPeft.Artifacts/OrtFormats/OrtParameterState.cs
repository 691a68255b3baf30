using OrtPeft.Tensors;

namespace OrtPeft.Artifacts.OrtFormats;

/// <summary>An optimizer's state of one parameter. Immutable.</summary>
public sealed class OrtParameterState
{
    /// <summary>The parameter's name.</summary>
    public required string ParameterName { get; init; }

    /// <summary>
    /// The moving averages, each with the parameter's axes: AdamW's are called <c>momentum0</c> (of the gradient) and
    /// <c>momentum1</c> (of its square).
    /// </summary>
    public required IReadOnlyList<Tensor> Momentums { get; init; }
}

using OrtPeft.Onnx;

namespace OrtPeft.Models.Building;

/// <summary>A part of a model that has weights and turns one value into another.</summary>
internal interface IModule
{
    /// <summary>The weights, in the order in which the part uses them.</summary>
    IEnumerable<WeightSpec> Weights { get; }

    /// <summary>Adds the part's nodes.</summary>
    /// <param name="decoder">The graph.</param>
    /// <param name="x">What the part reads.</param>
    /// <returns>The result.</returns>
    Value Apply(DecoderGraph decoder, Value x);
}

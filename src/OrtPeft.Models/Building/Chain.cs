using OrtPeft.Onnx;

namespace OrtPeft.Models.Building;

/// <summary>Parts one after the other.</summary>
/// <param name="parts">The parts, the first to be applied first.</param>
internal sealed class Chain(params IReadOnlyList<IModule> parts) : IModule
{
    public IEnumerable<WeightSpec> Weights => parts.SelectMany(static part => part.Weights);

    public Value Apply(DecoderGraph decoder, Value x) =>
        parts.Aggregate(x, (value, part) => part.Apply(decoder, value));
}

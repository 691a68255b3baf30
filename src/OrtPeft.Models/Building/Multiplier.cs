using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Building;

/// <summary>Multiplies by a number.</summary>
/// <param name="Factor">The number.</param>
internal sealed record Multiplier(float Factor) : IModule
{
    public IEnumerable<WeightSpec> Weights => [];

    public Value Apply(DecoderGraph decoder, Value x) => decoder.Builder.Mul(x, Factor);
}

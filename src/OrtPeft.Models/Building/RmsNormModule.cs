using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Building;

/// <summary>
/// x / √(mean(x²) + ε) · (offset + weight) over the last axis, in the nodes that ONNX Runtime fuses when it only
/// infers.
/// </summary>
/// <param name="Name">The module's path.</param>
/// <param name="Width">The last axis' length.</param>
/// <param name="Epsilon">What is added to the mean square.</param>
/// <param name="Offset">What is added to the weight: 1 in Gemma, else 0.</param>
/// <seealso href="https://arxiv.org/abs/1910.07467">Zhang and Sennrich, RMSNorm, equation 4.</seealso>
internal sealed record RmsNormModule(string Name, int Width, float Epsilon, float Offset = 0) : IModule
{
    public IEnumerable<WeightSpec> Weights => [new($"{Name}.weight", [Width], 1 - Offset)];

    public Value Apply(DecoderGraph decoder, Value x)
    {
        decoder.Enter(Name);
        var g = decoder.Builder;
        var square = g.ReduceMean(g.Pow(x, 2), [-1]);
        var deviation = g.Op("Sqrt", g.Add(square, Epsilon));
        var weight = decoder.Weight($"{Name}.weight");
        return g.Mul(g.Div(x, deviation), Offset == 0 ? weight : g.Add(weight, Offset));
    }
}

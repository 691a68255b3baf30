using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Building;

/// <summary>
/// PyTorch's linear layer over rows <c>[batch · sequence, from]</c>: one Gemm over the weight as HF stores it,
/// <c>[to, from]</c>.
/// </summary>
/// <param name="Name">The module's path.</param>
/// <param name="From">Inputs.</param>
/// <param name="To">Outputs.</param>
/// <param name="HasBias">Whether it has a bias.</param>
/// <param name="Deviation">The standard deviation of a new weight's values.</param>
internal sealed record DenseModule(string Name, int From, int To, bool HasBias, float Deviation) : IModule
{
    public IEnumerable<WeightSpec> Weights => HasBias ? [Weight, new($"{Name}.bias", [To])] : [Weight];

    private WeightSpec Weight => new($"{Name}.weight", [To, From], 0, Deviation);

    public Value Apply(DecoderGraph decoder, Value x)
    {
        decoder.Enter(Name);
        var bias = HasBias ? decoder.Weight($"{Name}.bias") : null;
        return decoder.Builder.Gemm(x, decoder.Weight($"{Name}.weight"), bias, transB: true);
    }
}

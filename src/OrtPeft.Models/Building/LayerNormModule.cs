using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Building;

/// <summary>PyTorch's normalisation over the last axis.</summary>
/// <param name="Name">The module's path.</param>
/// <param name="Width">The last axis' length.</param>
/// <param name="Epsilon">What is added to the variance.</param>
/// <param name="HasWeights">Whether the result is scaled and moved by weights.</param>
internal sealed record LayerNormModule(string Name, int Width, float Epsilon, bool HasWeights = true) : IModule
{
    public IEnumerable<WeightSpec> Weights =>
        HasWeights ? [new($"{Name}.weight", [Width], 1), new($"{Name}.bias", [Width])] : [];

    public Value Apply(DecoderGraph decoder, Value x)
    {
        decoder.Enter(Name);
        var scale = HasWeights
            ? decoder.Weight($"{Name}.weight")
            : decoder.Builder.Constant(Tensor.Of<float>([.. Enumerable.Repeat(1f, Width)], [Width]), "ones");
        var bias = HasWeights ? decoder.Weight($"{Name}.bias") : null;
        return decoder.Builder.Op(
            "LayerNormalization",
            [x, scale, bias],
            NodeAttribute.Of("axis", -1),
            NodeAttribute.Of("epsilon", Epsilon));
    }
}

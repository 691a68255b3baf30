using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

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
        return HasWeights ? Scaled(decoder, x) : Plain(decoder.Builder, x);
    }

    private Value Scaled(DecoderGraph decoder, Value x) => decoder.Builder.Op(
        "LayerNormalization",
        [x, decoder.Weight($"{Name}.weight"), decoder.Weight($"{Name}.bias")],
        NodeAttribute.Of("axis", -1),
        NodeAttribute.Of("epsilon", Epsilon));

    /// <summary>The operator needs a vector of weights, which would train.</summary>
    private Value Plain(GraphBuilder g, Value x)
    {
        var centred = g.Sub(x, g.ReduceMean(x, [-1]));
        var variance = g.ReduceMean(g.Pow(centred, 2), [-1]);
        return g.Div(centred, g.Op("Sqrt", g.Add(variance, Epsilon)));
    }
}

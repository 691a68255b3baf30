using OrtPeft.Onnx;

namespace OrtPeft.Models.Building;

/// <summary>out(act(in x)).</summary>
/// <param name="input">The first layer.</param>
/// <param name="activation">The nonlinearity.</param>
/// <param name="output">The last layer.</param>
internal sealed class PlainMlp(DenseModule input, ActivationModule activation, DenseModule output) : IModule
{
    public IEnumerable<WeightSpec> Weights => [.. input.Weights, .. output.Weights];

    public Value Apply(DecoderGraph decoder, Value x) =>
        output.Apply(decoder, activation.Apply(decoder, input.Apply(decoder, x)));
}

using OrtPeft.Onnx;

namespace OrtPeft.Models.Building;

/// <summary>A nonlinearity without weights.</summary>
/// <param name="Name">The module's path.</param>
/// <param name="Function">HF's name of the function.</param>
internal sealed record ActivationModule(string Name, string Function) : IModule
{
    public IEnumerable<WeightSpec> Weights => [];

    public Value Apply(DecoderGraph decoder, Value x)
    {
        decoder.Enter(Name);
        return Activations.Apply(decoder.Builder, Function, x);
    }
}

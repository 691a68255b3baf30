using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Building;

/// <summary>A mixture with an expert beside it that every token goes through, times σ(gate x), as in Qwen2-MoE.</summary>
/// <param name="name">The module's path.</param>
/// <param name="mixture">The experts among which the router chooses.</param>
/// <param name="shared">The other one.</param>
/// <param name="width">Inputs and outputs.</param>
/// <param name="deviation">The standard deviation of new weights' values.</param>
internal sealed class SharedExpert(string name, ExpertsModule mixture, GatedMlp shared, int width, float deviation)
    : IModule
{
    private readonly DenseModule _gate = new($"{name}.shared_expert_gate", width, 1, HasBias: false, deviation);

    public IEnumerable<WeightSpec> Weights => [.. mixture.Weights, .. shared.Weights, .. _gate.Weights];

    public Value Apply(DecoderGraph decoder, Value x)
    {
        var chosen = mixture.Apply(decoder, x);
        var always = shared.Apply(decoder, x);
        var share = decoder.Builder.Op("Sigmoid", _gate.Apply(decoder, x));
        decoder.Enter(name);
        return decoder.Builder.Add(chosen, decoder.Builder.Mul(share, always));
    }
}

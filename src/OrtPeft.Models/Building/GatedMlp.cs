using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Models.Building;

/// <summary>down(act(gate x) · up x), with gate and up as two layers or packed into one, gate first.</summary>
/// <seealso href="https://arxiv.org/abs/2002.05202">Shazeer, GLU variants, equation 6.</seealso>
internal sealed class GatedMlp : IModule
{
    private readonly string _name;
    private readonly int _inner;
    private readonly ActivationModule _activation;
    private readonly DenseModule[] _inputs;
    private readonly DenseModule _down;

    /// <summary>Creates one.</summary>
    /// <param name="name">The module's path.</param>
    /// <param name="width">Inputs and outputs.</param>
    /// <param name="inner">The width inside.</param>
    /// <param name="activation">HF's name of the gate's function.</param>
    /// <param name="hasBiases">Whether its layers have biases.</param>
    /// <param name="deviation">The standard deviation of new weights' values.</param>
    /// <param name="isPacked">Whether gate and up are one layer, <c>gate_up_proj</c>.</param>
    public GatedMlp(
        string name, int width, int inner, string activation, bool hasBiases, float deviation, bool isPacked = false)
    {
        _name = name;
        _inner = inner;
        _activation = new ActivationModule(isPacked ? $"{name}.activation_fn" : $"{name}.act_fn", activation);
        _inputs = isPacked ? [Input("gate_up_proj", 2 * inner)] : [Input("gate_proj", inner), Input("up_proj", inner)];
        _down = new DenseModule($"{name}.down_proj", inner, width, hasBiases, deviation);

        DenseModule Input(string part, int to) => new($"{name}.{part}", width, to, hasBiases, deviation);
    }

    public IEnumerable<WeightSpec> Weights => [.. _inputs.SelectMany(static i => i.Weights), .. _down.Weights];

    public Value Apply(DecoderGraph decoder, Value x)
    {
        var (gate, up) = Inputs(decoder, x);
        decoder.Enter(_name);
        return _down.Apply(decoder, decoder.Builder.Mul(gate, up));
    }

    private (Value Gate, Value Up) Inputs(DecoderGraph decoder, Value x)
    {
        var first = _inputs[0].Apply(decoder, x);
        if (_inputs.Length == 2)
            return (_activation.Apply(decoder, first), _inputs[1].Apply(decoder, x));
        decoder.Enter(_name);
        var parts = decoder.Builder.Split(first, -1, _inner, _inner);
        return (_activation.Apply(decoder, parts[0]), parts[1]);
    }
}

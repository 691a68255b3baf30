using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Models.Building;

/// <summary>
/// A mixture of experts like Mixtral's: every expert sees every token, and a token's result is the sum of those that
/// its router chose, weighed, so that gradients are exact and reach the router. Experts stand in two weights of three
/// axes, as in transformers 5.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2401.04088">Jiang et al., Mixtral of experts, section 2.1.</seealso>
internal sealed class ExpertsModule : IModule
{
    private readonly string _name;
    private readonly int _width;
    private readonly ExpertMixture _experts;
    private readonly ActivationModule _activation;
    private readonly float _deviation;
    private readonly ExpertSources _sources;

    /// <summary>Creates one.</summary>
    /// <param name="name">The module's path.</param>
    /// <param name="width">Inputs and outputs.</param>
    /// <param name="experts">How many experts, and of what size.</param>
    /// <param name="activation">HF's name of the gates' function.</param>
    /// <param name="deviation">The standard deviation of new weights' values.</param>
    /// <param name="sources">Where checkpoints have the weights.</param>
    public ExpertsModule(
        string name, int width, ExpertMixture experts, string activation, float deviation, ExpertSources sources)
    {
        (_name, _width, _experts, _deviation, _sources) = (name, width, experts, deviation, sources);
        _activation = new ActivationModule($"{name}.experts.act_fn", activation);
    }

    public IEnumerable<WeightSpec> Weights
    {
        get
        {
            var (count, inner) = (_experts.Count, _experts.InnerSize);
            return
            [
                new(Router, [count, _width], 0, _deviation) { Sources = _sources.Router(count, _width) },
                new(Inputs, [count, 2 * inner, _width], 0, _deviation)
                {
                    Sources = _sources.Inputs(count, _width, inner),
                },
                new(Outputs, [count, _width, inner], 0, _deviation)
                {
                    Sources = _sources.Outputs(count, _width, inner),
                },
            ];
        }
    }

    private string Router => $"{_name}.gate.weight";

    private string Inputs => $"{_name}.experts.gate_up_proj";

    private string Outputs => $"{_name}.experts.down_proj";

    public Value Apply(DecoderGraph decoder, Value x)
    {
        var g = decoder.Builder;
        decoder.Enter($"{_name}.gate");
        var shares = Shares(g, g.Softmax(g.Gemm(x, decoder.Weight(Router), transB: true)));
        decoder.Enter($"{_name}.experts");
        var parts = g.Split(Product(decoder, g.Unsqueeze(x, 0), Inputs), -1, _experts.InnerSize, _experts.InnerSize);
        var gate = _activation.Apply(decoder, parts[0]);
        decoder.Enter($"{_name}.experts");
        var results = Product(decoder, g.Mul(gate, parts[1]), Outputs);
        var weighed = g.Mul(results, g.Unsqueeze(g.Transpose(shares, 1, 0), 2));
        return g.ReduceSum(weighed, [0], keepDims: false);
    }

    /// <summary>x·Wᵀ of every expert: <c>[experts, tokens, out]</c>.</summary>
    private static Value Product(DecoderGraph decoder, Value x, string weight) =>
        decoder.Builder.MatMul(x, decoder.Builder.Transpose(decoder.Weight(weight), 0, 2, 1));

    /// <summary>The weight of each expert for each token, <c>[tokens, experts]</c>: 0 unless it is one of the
    /// likeliest.</summary>
    private Value Shares(GraphBuilder g, Value chances)
    {
        NodeAttribute[] axis = [NodeAttribute.Of("axis", -1L)];
        var best = g.Ops("TopK", 2, [chances, g.Int64(_experts.PerToken)], axis);
        var shares = _experts.IsNormalized ? g.Div(best[0], g.ReduceSum(best[0], [-1])) : best[0];
        var none = g.Expand(g.Scalar(ElementType.Float, 0), g.Shape(chances));
        return g.Op("ScatterElements", [none, best[1], shares], NodeAttribute.Of("axis", 1L));
    }
}

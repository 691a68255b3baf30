using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Proof;

/// <summary>
/// Operators whose ONNX Runtime CPU kernel has no float64 form, spelled in operators that have one: most lack it
/// altogether, LayerNormalization gives mean and deviation in float32 only. Differentiation sees the operators
/// themselves; this happens after it, to the graph and its gradient alike.
/// </summary>
internal static class DoubleKernels
{
    public static IReadOnlyDictionary<string, Func<GraphBuilder, Node, IReadOnlyList<Value>>> ByOp { get; } =
        new Dictionary<string, Func<GraphBuilder, Node, IReadOnlyList<Value>>>(StringComparer.Ordinal)
        {
            ["Erf"] = static (g, n) => [Erf(g, n.Inputs[0]!)],
            ["Softplus"] = static (g, n) => [Softplus(g, n.Inputs[0]!)],
            ["Gelu"] = static (g, n) => [Gelu(g, n.Inputs[0]!)],
            ["LeakyRelu"] = static (g, n) => [LeakyRelu(g, n.Inputs[0]!, n.Attributes.Float("alpha", 0.01f))],
            ["HardSigmoid"] = HardSigmoid,
            ["Mean"] = static (g, n) => [g.Mul(n.Inputs.Select(static i => i!).Aggregate(g.Add), 1.0 / n.Inputs.Count)],
            ["Conv"] = DoubleConvolution.Conv,
            ["ConvTranspose"] = DoubleConvolution.ConvTranspose,
            ["LayerNormalization"] = DoubleNormalization.Layer,
            ["SimplifiedLayerNormalization"] = DoubleNormalization.RootMeanSquare,
            ["GroupNormalization"] = DoubleNormalization.Group,
            ["InstanceNormalization"] = DoubleNormalization.Instance,
            ["SoftmaxCrossEntropyLoss"] = DoubleLosses.CrossEntropy,
            ["NegativeLogLikelihoodLoss"] = DoubleLosses.LogLikelihood,
            ["OneHot"] = DoubleLosses.OneHot,
        };

    public static void Lower(Model model)
    {
        var g = new GraphBuilder(model.Graph, new ShapeInference(model.Opset));
        foreach (var node in model.Graph.Nodes.ToArray())
        {
            var lower = ByOp.GetValueOrDefault(node.OpType);
            if (lower is null || node.Output.Type != ElementType.Double || IsTanhForm(node))
                continue;
            g.Before = node;
            foreach (var (output, replacement) in node.Outputs.Zip(lower(g, node)))
                model.Graph.ReplaceAllUsesWith(output, replacement);
            model.Graph.Remove(node);
        }
    }

    /// <summary>max(x, 0) + ln(1 + exp(−|x|)).</summary>
    private static Value Softplus(GraphBuilder g, Value x)
    {
        var positive = g.Op("Max", x, g.ScalarLike(x, 0));
        return g.Add(positive, g.Op("Log", g.Add(g.Op("Exp", g.Neg(g.Op("Abs", x))), 1)));
    }

    private static bool IsTanhForm(Node node) => node.Attributes.String("approximate", "none") == "tanh";

    private static Value Gelu(GraphBuilder g, Value x) =>
        g.Mul(g.Mul(x, 0.5), g.Add(Erf(g, g.Mul(x, Math.Sqrt(0.5))), 1));

    private static Value LeakyRelu(GraphBuilder g, Value x, double alpha) =>
        g.Where(g.Op("Greater", x, g.ScalarLike(x, 0)), x, g.Mul(x, alpha));

    private static IReadOnlyList<Value> HardSigmoid(GraphBuilder g, Node node)
    {
        var line = g.Mul(node.Inputs[0]!, node.Attributes.Float("alpha", 0.2f));
        var raised = g.Add(line, node.Attributes.Float("beta", 0.5f));
        return [g.Op("Clip", raised, g.ScalarLike(raised, 0), g.ScalarLike(raised, 1))];
    }

    /// <summary>
    /// erf x = 2x/√π · ∫₀¹ exp(−x²t²) dt by Gauss–Legendre quadrature, which 48 points make exact to float64 for the
    /// smooth integrand. Beyond ±6 the result is ±1 to float64.
    /// </summary>
    private static Value Erf(GraphBuilder g, Value x)
    {
        var (points, weights) = GaussLegendre(48);
        var bounded = g.Op("Clip", x, g.ScalarLike(x, -6), g.ScalarLike(x, 6));
        var rates = g.Constant(Tensor.Vector<double>([.. points.Select(static t => -t * t)]));
        var factors = g.Constant(Tensor.Vector<double>([.. weights.Select(static w => w * 2 / Math.Sqrt(Math.PI))]));
        var integrand = g.Op("Exp", g.Mul(g.Unsqueeze(g.Mul(bounded, bounded), -1), rates));
        return g.Mul(bounded, g.ReduceSum(g.Mul(integrand, factors), [-1], keepDims: false));
    }

    /// <summary>Points in 0..1 and their weights: roots of the Legendre polynomial, by Newton's method.</summary>
    private static (double[] Points, double[] Weights) GaussLegendre(int n)
    {
        var (points, weights) = (new double[n], new double[n]);
        for (var i = 0; i < n; i++)
        {
            var x = Math.Cos(Math.PI * (i + 0.75) / (n + 0.5));
            var slope = 0.0;
            for (var iteration = 0; iteration < 10; iteration++)
            {
                (var value, slope) = Legendre(n, x);
                x -= value / slope;
            }

            points[i] = (1 + x) / 2;
            weights[i] = 1 / ((1 - (x * x)) * slope * slope);
        }

        return (points, weights);
    }

    private static (double Value, double Slope) Legendre(int n, double x)
    {
        var (previous, current) = (1.0, x);
        for (var k = 2; k <= n; k++)
            (previous, current) = (current, ((((2 * k) - 1) * x * current) - ((k - 1) * previous)) / k);
        return (current, n * ((x * current) - previous) / ((x * x) - 1));
    }
}

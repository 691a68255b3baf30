using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests;

/// <summary>Points without a derivative, or too far out for differences: the values are PyTorch's.</summary>
public sealed class EdgeValueTests
{
    private const double Infinity = double.PositiveInfinity;

    private static readonly (string Name, Func<GraphBuilder, Value, Value> Of, double X, double Slope)[] Rows =
    [
        ("Relu at 0", static (g, x) => g.Op("Relu", x), 0, 0),
        ("Relu at -0", static (g, x) => g.Op("Relu", x), -0.0, 0),
        ("Abs at 0", static (g, x) => g.Op("Abs", x), 0, 0),
        ("Sqrt at 0", static (g, x) => g.Op("Sqrt", x), 0, Infinity),
        ("Exp far below", static (g, x) => g.Op("Exp", x), -1000, 0),
        ("Exp of -infinity", static (g, x) => g.Op("Exp", x), -Infinity, 0),
        ("Tanh far below", static (g, x) => g.Op("Tanh", x), -1000, 0),
        ("Tanh far above", static (g, x) => g.Op("Tanh", x), 1000, 0),
        ("Sigmoid far below", static (g, x) => g.Op("Sigmoid", x), -1000, 0),
        ("Sigmoid far above", static (g, x) => g.Op("Sigmoid", x), 1000, 0),
        ("Softplus far below", static (g, x) => g.Op("Softplus", x), -1000, 0),
        ("Softplus far above", static (g, x) => g.Op("Softplus", x), 1000, 1),
        ("Erf far above", static (g, x) => g.Op("Erf", x), 1e6, 0),
        ("Gelu far below", static (g, x) => g.Op("Gelu", x), -1e6, 0),
        ("Gelu far above", static (g, x) => g.Op("Gelu", x), 1e6, 1),
        ("Gelu by tanh far below", TanhGelu, -1e6, 0),
        ("Gelu by tanh far above", TanhGelu, 1e6, 1),
        ("Pow 0 at 0", static (g, x) => g.Pow(x, 0), 0, 0),
        ("Pow 0 at infinity", static (g, x) => g.Pow(x, 0), Infinity, 0),
        ("Pow 1 at 0", static (g, x) => g.Pow(x, 1), 0, 1),
        ("Pow 1 at infinity", static (g, x) => g.Pow(x, 1), Infinity, 1),
        ("Pow 0.5 at 0", static (g, x) => g.Pow(x, 0.5), 0, Infinity),
        ("Pow 2 at 0", static (g, x) => g.Pow(x, 2), 0, 0),
        ("Pow 1.5 at 0", static (g, x) => g.Pow(x, 1.5), 0, 0),
        ("Pow, computed base, to 0 at 0", static (g, x) => g.Op("Pow", x, g.Mul(x, 0)), 0, 0),
        ("Pow, computed exponent at base 0", static (g, x) => g.Op("Pow", g.ScalarLike(x, 0), x), 2, 0),
        ("Pow, computed exponent below 0 at base 0", static (g, x) => g.Op("Pow", g.ScalarLike(x, 0), x), -1, 0),
        ("Pow, computed exponent at a negative base", static (g, x) => g.Op("Pow", g.ScalarLike(x, -2), x), 3, 0),
        ("LeakyRelu at 0", static (g, x) => g.Op("LeakyRelu", x), 0, 0.01),
        ("HardSigmoid at its upper end", static (g, x) => g.Op("HardSigmoid", x), 2.5, 0),
        ("HardSigmoid at its lower end", static (g, x) => g.Op("HardSigmoid", x), -2.5, 0),
        ("Clip at the lower bound", Clipped, -1, 1),
        ("Clip at the upper bound", Clipped, 2, 1),
        ("Max at a tie", static (g, x) => g.Op("Max", x, g.ScalarLike(x, 2)), 2, 0.5),
        ("Min at a tie", static (g, x) => g.Op("Min", x, g.ScalarLike(x, 2)), 2, 0.5),
        ("Max of three that tie", static (g, x) => g.Op("Max", x, g.ScalarLike(x, 2), g.Mul(x, -1), x), 2, 2.0 / 3),
        ("Max of itself", static (g, x) => g.Op("Max", x, x), 2, 1),
        ("ReduceMax at a tie", static (g, x) => Reduced(g, "ReduceMax", x), 2, 0.5),
        ("ReduceMin at a tie", static (g, x) => Reduced(g, "ReduceMin", x), 2, 0.5),
        ("ReduceL1 at 0", static (g, x) => g.Op("ReduceL1", x), 0, 0),
        ("ReduceL2 at 0", static (g, x) => g.Op("ReduceL2", x), 0, 0),
        ("Softmax of one", static (g, x) => g.Softmax(x), 1000, 0),
    ];

    public static TheoryData<string> Names => [.. Rows.Select(static r => r.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Rule_WhenPointIsAwkward_GivesTheStatedSlope(string name)
    {
        var row = Rows.Single(r => r.Name == name);
        var model = new Model(GradientModel.Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(GradientModel.Opset));
        var x = model.Graph.AddInput("x", ElementType.Float, [1]);
        var seed = new Seed(row.Of(g, x), g.Constant(Tensor.Vector(1f)));
        model.Graph.AddOutput(new Differentiator(model, g).Differentiate([seed], [x])[0]);
        using var session = new TestSession(model);
        session.Feed("x", new[] { (float)row.X }, 1);

        var slope = session.Run<float>(model.Graph.Outputs[0].Name);

        Assert.Equal([(float)row.Slope], slope);
    }

    /// <summary>To −1..2.</summary>
    private static Value Clipped(GraphBuilder g, Value x) =>
        g.Op("Clip", x, g.ScalarLike(x, -1), g.ScalarLike(x, 2));

    /// <summary>Over x and 2.</summary>
    private static Value Reduced(GraphBuilder g, string op, Value x) =>
        g.Op(op, g.Concat(0, x, g.Constant(Tensor.Vector(2f))), g.Int64(0));

    private static Value TanhGelu(GraphBuilder g, Value x) =>
        g.Op("Gelu", [x], NodeAttribute.Of("approximate", "tanh"));
}

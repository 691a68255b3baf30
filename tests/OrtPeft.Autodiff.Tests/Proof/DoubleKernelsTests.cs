using Microsoft.ML.OnnxRuntime;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Proof;

public sealed class DoubleKernelsTests
{
    private static readonly double[] Points = [-20, -7, -4.5, -2, -0.5, -1e-3, 0, 0.25, 1, 3, 5.5, 30];

    public static TheoryData<string> Operators =>
        ["Erf", "Gelu", "HardSigmoid", "LayerNormalization", "LeakyRelu", "Mean", "Softplus"];

    [Theory]
    [MemberData(nameof(Operators))]
    public void Lower_WhenRunInDouble_MatchesTheFloatKernel(string op)
    {
        var lowered = Build(op, ElementType.Double);
        DoubleKernels.Lower(lowered);

        var expected = Run(Build(op, ElementType.Float), Array.ConvertAll(Points, static p => (float)p));
        var actual = Run(lowered, Points);

        Assert.DoesNotContain(lowered.Graph.Nodes, n => n.Is(op));
        Assert.All(expected.Zip(actual), static p => Assert.Equal(p.First, p.Second, 1e-6 * (1 + Math.Abs(p.First))));
    }

    [Theory]
    [InlineData("Erf")]
    [InlineData("Gelu")]
    [InlineData("Softplus")]
    [InlineData("LeakyRelu")]
    [InlineData("HardSigmoid")]
    [InlineData("Mean")]
    public void Lower_WhenLeftOut_IsMissed(string op)
    {
        var model = Build(op, ElementType.Double);

        var run = () => Run(model, Points);

        Assert.Throws<OnnxRuntimeException>(run);
    }

    private static T[] Run<T>(Model model, T[] points)
        where T : unmanaged
    {
        using var session = new TestSession(model);
        session.Feed("x", points, points.Length);
        return session.Run<T>("y");
    }

    private static Model Build(string op, ElementType type)
    {
        var model = new Model(GradientModel.Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(GradientModel.Opset));
        var x = model.Graph.AddInput("x", type, [Points.Length]);
        var y = op == "LayerNormalization"
            ? g.Ops(op, 3, [x, g.Expand(g.ScalarLike(x, 1.5), g.Shape(x))], [])
            : g.Ops(op, 1, [x], []);
        var result = g.Op("Identity", y[0]);
        model.Graph.Rename(result, "y");
        model.Graph.AddOutput(result);
        return model;
    }
}

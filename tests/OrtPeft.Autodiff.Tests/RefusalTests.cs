using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests;

/// <summary>Forms of known operators whose gradient is not known: the message says which.</summary>
public sealed class RefusalTests
{
    private static readonly (string Text, long[] Dims, Func<GraphBuilder, Value, Value> Of)[] Rows =
    [
        ("'ii->i'", [2, 2], static (g, x) => g.Op("Einsum", [x], NodeAttribute.Of("equation", "ii->i"))),
        ("'...i->...'", [2, 2], static (g, x) => g.Op("Einsum", [x], NodeAttribute.Of("equation", "...i->..."))),
        ("'SAME_UPPER'", [1, 2, 3], static (g, x) =>
            g.Op("Conv", [x, g.Reshape(x, 1, 2, 3)], NodeAttribute.Of("auto_pad", "SAME_UPPER"))),
        ("'mul'", [2], static (g, x) =>
            g.Op("ScatterND", [x, g.Unsqueeze(g.Int64(1), 1), g.Constant(Tensor.Vector(2f))],
                NodeAttribute.Of("reduction", "mul"))),
    ];

    public static TheoryData<string> Names => [.. Rows.Select(static r => r.Text)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Rule_WhenFormIsNotKnown_NamesIt(string text)
    {
        var row = Rows.Single(r => r.Text == text);
        var model = new Model(GradientModel.Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(GradientModel.Opset));
        var x = model.Graph.AddInput("x", ElementType.Float, Shape.Of(row.Dims));
        var y = row.Of(g, x);
        var seed = new Seed(y, GradientModel.Weights(g, y, 0));

        var differentiate = () => new Differentiator(model, g).Differentiate([seed], [x]);

        Assert.Contains(text, Assert.Throws<UnsupportedOpException>(differentiate).Message, StringComparison.Ordinal);
    }
}

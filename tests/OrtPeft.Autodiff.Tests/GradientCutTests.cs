using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests;

/// <summary>Whole numbers between what trains and the loss: refused by node, or nothing but a selection.</summary>
public sealed class GradientCutTests
{
    private static readonly (string Node, string Name, Func<GraphBuilder, Value, Value> Of)[] Cuts =
    [
        ("Floor", "alone", static (g, x) => g.Op("Floor", x)),
        ("Ceil", "alone", static (g, x) => g.Op("Ceil", x)),
        ("Sign", "alone", static (g, x) => g.Op("Sign", x)),
        ("Round", "alone", static (g, x) => g.Op("Round", x)),
        ("Floor", "beside the identity", static (g, x) => g.Sub(x, g.Op("Floor", x))),
        ("Round", "scaled and not back", static (g, x) => g.Op("Round", g.Mul(x, 4))),
        ("Round", "scaled back by another number", static (g, x) => g.Div(g.Op("Round", g.Mul(x, 4)), Four(g, x, 5))),
        ("Round", "scaled back for one of two readers", static (g, x) =>
        {
            var q = g.Op("Round", g.Mul(x, 4));
            return g.Add(g.Div(q, Four(g, x)), q);
        }),
        ("Round", "a sum that is scaled back", static (g, x) =>
            g.Div(g.Op("Round", g.Add(g.Mul(x, 4), g.Op("Sin", x))), Four(g, x))),
        ("Cast", "to int64 and back", static (g, x) => g.Cast(g.Cast(x, ElementType.Int64), x.Type)),
        ("Cast", "that cuts off between scales", static (g, x) =>
            g.Div(g.Cast(g.Cast(g.Mul(x, 4), ElementType.Int32), x.Type), Four(g, x))),
        ("Cast", "to int64, a remainder and back", static (g, x) =>
            g.Cast(g.Op("Mod", g.Cast(x, ElementType.Int64), g.Int64Scalar(2)), x.Type)),
        ("MatMulInteger", "of a quantised row", static (g, x) => g.Cast(g.Op(
            "MatMulInteger", g.Op("QuantizeLinear", g.Unsqueeze(x, 0), Four(g, x, 0.1)), Bytes(g)), x.Type)),
        ("DynamicQuantizeLinear", "of a product of integers", static (g, x) =>
        {
            var q = g.Ops("DynamicQuantizeLinear", 3, [g.Unsqueeze(x, 0)], []);
            return g.Mul(g.Cast(g.Op("MatMulInteger", q[0], Bytes(g), q[2]), x.Type), q[1]);
        }),
        ("DynamicQuantizeLinear", "whose scale is a number of the loss", static (g, x) =>
            g.Ops("DynamicQuantizeLinear", 3, [x], [])[1]),
        ("ArgMax", "as a number", static (g, x) => g.Mul(g.Cast(g.Op("ArgMax", x), x.Type), x)),
        ("NonZero", "as numbers", static (g, x) => g.Cast(g.Op("NonZero", x), x.Type)),
        ("TopK", "places as numbers", static (g, x) =>
            g.Cast(g.Ops("TopK", 2, [x, g.Int64(2)], [])[1], x.Type)),
    ];

    private static readonly (string Name, Func<GraphBuilder, Value, Value> Of)[] Selections =
    [
        ("a mask", static (g, x) => g.Where(g.Op("Greater", g.Op("Floor", x), Four(g, x, 0)), x, g.Mul(x, 3))),
        ("a mask as a factor", static (g, x) => g.Mul(x, g.Cast(g.Op("Less", x, Four(g, x, 0.5)), x.Type))),
        ("experts", static (g, x) =>
        {
            var best = g.Ops("TopK", 2, [x, g.Int64(2)], []);
            var chosen = g.Op("OneHot", best[1], g.Int64Scalar(3), g.Constant(Tensor.Vector(0f, 1f)));
            return g.Mul(g.Cast(g.ReduceSum(chosen, [0], keepDims: false), x.Type), x);
        }),
        ("the largest", static (g, x) => g.Gather(x, g.Op("ArgMax", x))),
        ("what is not zero", static (g, x) => g.Gather(x, g.Reshape(g.Op("NonZero", g.Cast(g.Op("Relu", x), ElementType.Float)), -1))),
        ("a length", static (g, x) => g.Mul(x, g.Cast(g.Op("Size", x), x.Type))),
    ];

    public static TheoryData<string, string> CutNames
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var (node, name, _) in Cuts)
                data.Add(node, name);
            return data;
        }
    }

    public static TheoryData<string> SelectionNames => [.. Selections.Select(static s => s.Name)];

    [Theory]
    [MemberData(nameof(CutNames))]
    public void Differentiate_WhenWholeNumbersStandBetween_NamesTheNode(string node, string name)
    {
        var of = Cuts.Single(c => c.Node == node && c.Name == name).Of;

        var error = Assert.Throws<UnsupportedOpException>(() => Differentiate(of));

        Assert.StartsWith($"{node} \"", error.Message, StringComparison.Ordinal);
        Assert.Contains("between a trainable parameter and the loss", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(SelectionNames))]
    public void Differentiate_WhenTheyOnlySelect_MatchesDifferences(string name)
    {
        var of = Selections.Single(s => s.Name == name).Of;

        GradientProof.ByDifferences(new GradientCase(
            "Selection", name, (g, x) => [g.Cast(of(g, x[0]), x[0].Type)], TestInput.Of([0.3, 1.4, -0.2])));
    }

    [Fact]
    public void Differentiate_WhenAComputedScaleIsAPowerOfTwo_LeavesItConstant()
    {
        var (model, gradient) = Differentiate(static (g, x) =>
        {
            var power = g.Op("Ceil", g.Op("Log", g.Op("ReduceMax", g.Op("Abs", x))));
            var scale = g.Op("Pow", g.ScalarLike(x, 2), power);
            return g.Mul(g.Op("Round", g.Div(x, scale)), scale);
        });
        model.Graph.AddOutput(gradient);
        using var session = new TestSession(model);
        session.Feed("x", new[] { 0.5f, 2, -3 }, 3);

        Assert.Equal([1, 1, 1], session.Run<float>(gradient.Name));
    }

    private static (Model Model, Value Gradient) Differentiate(Func<GraphBuilder, Value, Value> of)
    {
        var model = new Model(GradientModel.Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(GradientModel.Opset));
        var x = model.Graph.AddInput("x", ElementType.Float, [3]);
        var y = of(g, x);
        var seed = new Seed(y, g.Op("Expand", g.ScalarLike(x, 1), g.Shape(y)));
        return (model, new Differentiator(model, g).Differentiate([seed], [x])[0]);
    }

    private static Value Four(GraphBuilder g, Value x, double value = 4) => g.ScalarLike(x, value);

    private static Value Bytes(GraphBuilder g) => g.Constant(Tensor.Of<sbyte>([1, 2, 3, 4, 5, 6], [3, 2]));
}

using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Idioms;
using OrtPeft.Onnx.Tests.Passes.Contrib;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes.Idioms;

public sealed class RmsNormFusionTests
{
    private const string Fused = "SimplifiedLayerNormalization";

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Squares = new()
    {
        ["pow"] = static (g, x) => g.Pow(x, 2),
        ["mul"] = static (g, x) => g.Mul(x, x),
    };

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value, Value>> Quotients = new()
    {
        ["x / sqrt"] = static (g, x, s) => g.Div(x, g.Op("Sqrt", s)),
        ["x / pow"] = static (g, x, s) => g.Div(x, g.Pow(s, 0.5)),
        ["x * reciprocal"] = static (g, x, s) => g.Mul(x, g.Op("Reciprocal", g.Op("Sqrt", s))),
        ["reciprocal * x"] = static (g, x, s) => g.Mul(g.Op("Reciprocal", g.Op("Sqrt", s)), x),
        ["x * (1 / sqrt)"] = static (g, x, s) => g.Mul(x, g.Div(g.ScalarLike(x, 1), g.Op("Sqrt", s))),
        ["x * pow"] = static (g, x, s) => g.Mul(x, g.Pow(s, -0.5)),
    };

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Scalings = new()
    {
        ["n * w"] = static (g, n) => g.Mul(n, IdiomGraph.Vector(g)),
        ["w * n"] = static (g, n) => g.Mul(IdiomGraph.Vector(g), n),
        ["n * (1 + w)"] = static (g, n) => g.Mul(n, g.Add(IdiomGraph.Vector(g), 1)),
    };

    public static TheoryData<string, string, string> Forms
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var square in Squares.Keys)
                foreach (var quotient in Quotients.Keys)
                    foreach (var scaling in Scalings.Keys)
                        data.Add(square, quotient, scaling);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Run_OnAForm_PutsOneNodeInItsPlace(string square, string quotient, string scaling)
    {
        var model = IdiomGraph.Of((g, x) =>
            Scalings[scaling](g, Quotients[quotient](g, x, MeanSquare(g, Squares[square](g, x)))));

        SameResults.Check(model, RmsNormFusion.Run, NodeInputs.For(model.Graph, IdiomGraph.Symbols, 1), 2e-6f);

        Assert.Single(model.Graph.Nodes, static n => n.Is(Fused));
        Assert.DoesNotContain(model.Graph.Nodes, static n => n.OpType is "ReduceMean" or "Sqrt" or "Reciprocal");
    }

    [Theory]
    [InlineData("vector")]
    [InlineData("double")]
    public void Run_OnAnEpsilonOfAnotherForm_Matches(string form)
    {
        var model = IdiomGraph.Of((g, x) =>
        {
            var mean = g.ReduceMean(g.Mul(x, x), [2]);
            return g.Mul(g.Div(x, g.Op("Sqrt", g.Add(IdiomGraph.Number(g, 1e-3, form), mean))), IdiomGraph.Vector(g));
        });

        SameResults.Check(model, RmsNormFusion.Run, NodeInputs.For(model.Graph, IdiomGraph.Symbols, 1), 2e-6f);

        var node = Assert.Single(model.Graph.Nodes, static n => n.Is(Fused));
        Assert.Equal(1e-3f, node.Attributes.Float("epsilon", 0), 1e-9f);
    }

    /// <summary>Half precision is normalised in float32 by graph and operator alike.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_OnAComputationInFloat32BetweenCasts_TakesTheCastsIn(bool castsBack)
    {
        var model = IdiomGraph.Of((g, x) =>
        {
            var half = g.Cast(x, ElementType.Float16);
            var wide = g.Cast(half, ElementType.Float);
            var normal = g.Div(wide, g.Op("Sqrt", MeanSquare(g, g.Pow(wide, 2))));
            if (!castsBack)
                return g.Mul(IdiomGraph.Vector(g), normal);
            var scale = g.Constant(Tensor.Vector((Half)0.5f, (Half)1, (Half)(-1), (Half)2));
            return g.Cast(g.Mul(scale, g.Cast(normal, ElementType.Float16)), ElementType.Float);
        });

        // Half precision's step at 4 is 2⁻⁸; the operator rounds once, the graph twice.
        SameResults.Check(model, RmsNormFusion.Run, NodeInputs.For(model.Graph, IdiomGraph.Symbols, 1), 8e-3f);

        var node = Assert.Single(model.Graph.Nodes, static n => n.Is(Fused));
        Assert.Equal(castsBack ? ElementType.Float16 : ElementType.Float, node.Inputs[0]!.Type);
    }

    [Theory]
    [InlineData("another axis")]
    [InlineData("no mean kept")]
    [InlineData("another value")]
    [InlineData("another power")]
    [InlineData("no scale")]
    [InlineData("a scalar scale")]
    [InlineData("a centred value")]
    [InlineData("read elsewhere")]
    public void Run_OnWhatOnlyLooksLikeIt_LeavesIt(string difference)
    {
        var model = IdiomGraph.Of((g, x) => Nearly(g, x, difference));
        var before = model.Graph.Nodes.Select(static n => n.OpType).ToArray();

        RmsNormFusion.Run(model);

        Assert.Equal(before, model.Graph.Nodes.Select(static n => n.OpType));
    }

    [Fact]
    public void Run_Twice_ChangesNothingMore()
    {
        var model = IdiomGraph.Of(static (g, x) =>
            g.Mul(g.Div(x, g.Op("Sqrt", MeanSquare(g, g.Pow(x, 2)))), IdiomGraph.Vector(g)));
        RmsNormFusion.Run(model);
        var once = model.Graph.Nodes.ToArray();

        RmsNormFusion.Run(model);

        Assert.Equal(once, model.Graph.Nodes);
    }

    private static Value MeanSquare(GraphBuilder g, Value square) => g.Add(g.ReduceMean(square, [-1]), 1e-3);

    private static Value Nearly(GraphBuilder g, Value x, string difference)
    {
        var source = difference == "a centred value" ? g.Sub(x, g.ReduceMean(x, [-1])) : x;
        var square = g.Pow(source, difference == "another power" ? 4 : 2);
        var mean = g.ReduceMean(square, [difference == "another axis" ? 1L : -1], difference != "no mean kept");
        if (difference == "no mean kept")
            mean = g.Unsqueeze(mean, 2);
        var dividend = difference == "another value" ? g.Neg(x) : x;
        var normal = g.Div(dividend, g.Op("Sqrt", g.Add(mean, 1e-3)));
        if (difference == "read elsewhere")
            g.Graph.AddOutput(normal);
        return difference switch
        {
            "no scale" => normal,
            "a scalar scale" => g.Mul(normal, 2),
            _ => g.Mul(normal, IdiomGraph.Vector(g)),
        };
    }
}

using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Idioms;
using OrtPeft.Onnx.Tests.Passes.Contrib;

namespace OrtPeft.Onnx.Tests.Passes.Idioms;

public sealed class GeluFusionTests
{
    private static readonly double Inner = Math.Sqrt(2 / Math.PI);

    /// <summary>What stands around y = erf(…) or tanh(…).</summary>
    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value, Value>> Outer = new()
    {
        ["(x * 0.5) * (1 + y)"] = static (g, x, y) => g.Mul(g.Mul(x, 0.5), g.Add(y, 1)),
        ["0.5 * (x * (1 + y))"] = static (g, x, y) => g.Mul(g.Mul(x, g.Add(y, 1)), 0.5),
        ["x * (0.5 * (1 + y))"] = static (g, x, y) => g.Mul(x, g.Mul(g.Add(y, 1), 0.5)),
        ["x * (0.5 * y + 0.5)"] = static (g, x, y) => g.Mul(x, g.Add(g.Mul(y, 0.5), 0.5)),
        ["(x * (1 + y)) / 2"] = static (g, x, y) => g.Div(g.Mul(x, g.Add(y, 1)), g.ScalarLike(x, 2)),
        ["(x / 2) * (1 + y)"] = static (g, x, y) => g.Mul(g.Div(x, g.ScalarLike(x, 2)), g.Add(y, 1)),
        ["(1 + y) * (0.5 * x), [1]"] = static (g, x, y) => g.Mul(
            g.Add(IdiomGraph.Number(g, 1, "vector"), y), g.Mul(IdiomGraph.Number(g, 0.5, "double"), x)),
    };

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Exact = new()
    {
        ["x / 1.41421354"] = static (g, x) => g.Div(x, g.ScalarLike(x, 1.41421354)),
        ["x * 0.70710678"] = static (g, x) => g.Mul(x, 0.70710678),
        ["0.70710678 * x, float64"] = static (g, x) => g.Mul(IdiomGraph.Number(g, 0.70710678, "double"), x),
        ["x / [1.41421356]"] = static (g, x) => g.Div(x, IdiomGraph.Number(g, 1.41421356, "vector")),
    };

    private static readonly Dictionary<string, Func<GraphBuilder, Value, Value>> Tanh = new()
    {
        ["c * (x + 0.044715 * pow)"] = static (g, x) => g.Mul(g.Add(x, g.Mul(g.Pow(x, 3), 0.044715)), Inner),
        ["c * (x + 0.044715 * (x*x*x))"] = static (g, x) =>
            g.Mul(g.Add(g.Mul(g.Mul(g.Mul(x, x), x), 0.044715), x), Inner),
        ["c * (x + (0.044715*x) * (x*x))"] = static (g, x) =>
            g.Mul(g.Add(x, g.Mul(g.Mul(x, 0.044715), g.Mul(x, x))), Inner),
        ["x * c * (1 + 0.044715 * x * x)"] = static (g, x) =>
            g.Mul(g.Mul(x, 0.7978845608), g.Add(g.Mul(g.Mul(x, 0.044715), x), 1)),
        ["x * (0.0356774 * x² + c)"] = static (g, x) =>
            g.Mul(x, g.Add(g.Mul(g.Pow(x, 2), 0.044715 * Inner), Inner)),
    };

    public static TheoryData<string, string, string> Forms
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var outer in Outer.Keys)
            {
                foreach (var inner in Exact.Keys)
                    data.Add("Erf", inner, outer);
                foreach (var inner in Tanh.Keys)
                    data.Add("Tanh", inner, outer);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Run_OnAForm_PutsOneNodeInItsPlace(string op, string inner, string outer)
    {
        var form = (op == "Erf" ? Exact : Tanh)[inner];
        var model = IdiomGraph.Of((g, x) => Outer[outer](g, x, g.Op(op, form(g, x))));

        // ONNX Runtime's Gelu computes erf by another polynomial than its Erf.
        SameResults.Check(model, GeluFusion.Run, NodeInputs.For(model.Graph, IdiomGraph.Symbols, 1), 2e-6f);

        var node = Assert.Single(model.Graph.Nodes);
        Assert.Equal(("Gelu", op == "Erf" ? "none" : "tanh"), (node.OpType, node.Attributes.String("approximate", "")));
    }

    [Theory]
    [InlineData("another divisor")]
    [InlineData("another summand")]
    [InlineData("another factor")]
    [InlineData("another x")]
    [InlineData("a square")]
    [InlineData("read elsewhere")]
    public void Run_OnWhatOnlyLooksLikeIt_LeavesIt(string difference)
    {
        var model = IdiomGraph.Of((g, x) => Nearly(g, x, difference));
        var before = model.Graph.Nodes.ToArray();

        GeluFusion.Run(model);

        Assert.Equal(before, model.Graph.Nodes);
    }

    [Fact]
    public void Run_OnAScaledArgument_TakesTheWholeArgument()
    {
        var model = IdiomGraph.Of(static (g, x) =>
        {
            var scaled = g.Mul(x, 3);
            return g.Mul(g.Mul(scaled, 0.5), g.Add(g.Op("Erf", g.Mul(scaled, Math.Sqrt(0.5))), 1));
        });

        SameResults.Check(model, GeluFusion.Run, NodeInputs.For(model.Graph, IdiomGraph.Symbols, 1), 5e-6f);

        Assert.Equal(["Mul", "Gelu"], model.Graph.Nodes.Select(static n => n.OpType));
    }

    [Fact]
    public void Run_Twice_ChangesNothingMore()
    {
        var model = IdiomGraph.Of(static (g, x) =>
            Outer["(x * 0.5) * (1 + y)"](g, x, g.Op("Erf", g.Mul(x, Math.Sqrt(0.5)))));
        GeluFusion.Run(model);
        var once = model.Graph.Nodes.ToArray();

        GeluFusion.Run(model);

        Assert.Equal(once, model.Graph.Nodes);
    }

    private static Value Nearly(GraphBuilder g, Value x, string difference)
    {
        var inner = difference == "a square" ? g.Mul(x, x) : x;
        var y = g.Op("Erf", g.Div(inner, g.ScalarLike(x, difference == "another divisor" ? 1.5 : Math.Sqrt(2))));
        if (difference == "read elsewhere")
            g.Graph.AddOutput(y);
        var factor = difference == "another x" ? g.Neg(x) : x;
        var sum = g.Add(y, difference == "another summand" ? 2 : 1);
        return g.Mul(g.Mul(factor, difference == "another factor" ? 0.25 : 0.5), sum);
    }
}

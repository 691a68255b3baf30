using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Idioms;
using OrtPeft.Onnx.Tests.Passes.Contrib;

namespace OrtPeft.Onnx.Tests.Passes.Idioms;

public sealed class LayerNormFusionTests
{
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Run_OnAForm_PutsOneNodeInItsPlace(bool withBias, bool squaresByPow)
    {
        var model = IdiomGraph.Of((g, x) => Written(g, x, "", withBias, squaresByPow));

        SameResults.Check(model, LayerNormFusion.Run, NodeInputs.For(model.Graph, IdiomGraph.Symbols, 1), 2e-6f);

        Assert.Equal("LayerNormalization", Assert.Single(model.Graph.Nodes).OpType);
        LayerNormFusion.Run(model);
        Assert.Single(model.Graph.Nodes);
    }

    [Theory]
    [InlineData("another axis")]
    [InlineData("another mean")]
    [InlineData("a scalar scale")]
    [InlineData("read elsewhere")]
    public void Run_OnWhatOnlyLooksLikeIt_LeavesIt(string difference)
    {
        var model = IdiomGraph.Of((g, x) => Written(g, x, difference));
        var before = model.Graph.Nodes.ToArray();

        LayerNormFusion.Run(model);

        Assert.Equal(before, model.Graph.Nodes);
    }

    private static Value Written(
        GraphBuilder g, Value x, string difference, bool withBias = true, bool squaresByPow = true)
    {
        var axis = difference == "another axis" ? 1L : -1;
        var centred = g.Sub(x, g.ReduceMean(difference == "another mean" ? g.Neg(x) : x, [axis]));
        var square = squaresByPow ? g.Pow(centred, 2) : g.Mul(centred, centred);
        var normal = g.Div(centred, g.Op("Sqrt", g.Add(g.ReduceMean(square, [axis]), 1e-3)));
        if (difference == "read elsewhere")
            g.Graph.AddOutput(normal);
        var scaled = difference == "a scalar scale" ? g.Mul(normal, 2) : g.Mul(normal, IdiomGraph.Vector(g));
        return withBias ? g.Add(scaled, IdiomGraph.Vector(g)) : scaled;
    }
}

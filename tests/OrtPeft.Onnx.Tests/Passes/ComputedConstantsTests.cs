using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class ComputedConstantsTests
{
    /// <summary>Exporters that do not optimise give a reduction's axes through a Reshape of a constant.</summary>
    [Fact]
    public void OfConstants_OnAxesByReshape_KnowsThem()
    {
        var model = new Model(21);
        var g = GraphBuilder.Over(model);
        var x = g.Graph.AddInput("x", ElementType.Float, [2, 3, 4]);
        var axes = g.Reshape(g.Add(g.Int64Scalar(-2), g.Int64Scalar(1)), -1);
        model.Graph.AddOutput(g.Op("ReduceMean", x, axes));

        SameResults.Check(model, ComputedConstants.OfConstants, Contrib.NodeInputs.For(
            model.Graph, new Dictionary<string, long>(), seed: 1));

        var node = Assert.Single(model.Graph.Nodes);
        Assert.Equal([-1L], node.Inputs[1]!.Constant!.ToInt64());
    }

    /// <summary>Lengths of inputs are known too, but stay what they are: rows may come in any length.</summary>
    [Fact]
    public void OfConstants_OnLengths_LeavesThem()
    {
        var model = new Model(21);
        var g = GraphBuilder.Over(model);
        var x = g.Graph.AddInput("x", ElementType.Float, [2, 3]);
        model.Graph.AddOutput(g.Shape(x));
        model.Graph.AddOutput(g.Add(g.Shape(x), g.Int64(1, 1)));

        ComputedConstants.OfConstants(model);

        Assert.Equal(3, model.Graph.Nodes.Count);
    }
}

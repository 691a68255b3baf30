using OrtPeft.Onnx.Passes.Idioms;
using OrtPeft.Onnx.Tests.Passes.Contrib;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes.Idioms;

public sealed class RmsNormLoweringTests
{
    private const string Fused = "SimplifiedLayerNormalization";

    private static readonly Tensor Matrix = Tensor.Of<float>([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [3, 4]);

    [Theory]
    [InlineData(-1L)]
    [InlineData(2L)]
    [InlineData(1L)]
    public void Run_OnTheFusedNode_LeavesStandardOperatorsWithItsResult(long axis)
    {
        var model = Model(axis);

        SameResults.Check(model, RmsNormLowering.Run, NodeInputs.For(model.Graph, IdiomGraph.Symbols, 1), 2e-6f);

        Assert.DoesNotContain(model.Graph.Nodes, static n => n.Is(Fused));
        Assert.Equal("y", model.Graph.Outputs[0].Name);
    }

    [Fact]
    public void Run_BehindFusion_GivesTheSameNumberOfNodesBack()
    {
        var model = Model(-1);
        RmsNormLowering.Run(model);
        var nodes = model.Graph.Nodes.Count;

        RmsNormFusion.Run(model);
        RmsNormLowering.Run(model);

        Assert.Equal(nodes, model.Graph.Nodes.Count);
    }

    [Fact]
    public void Run_WhenTheStatisticIsRead_LeavesTheNode()
    {
        var model = Model(-1);
        var node = model.Graph.Nodes.Single(static n => n.Is(Fused));
        model.Graph.AddOutput(model.Graph.AddNodeOutput(node, "statistic"));

        RmsNormLowering.Run(model);

        Assert.Contains(node, model.Graph.Nodes);
    }

    private static Model Model(long axis)
    {
        var model = IdiomGraph.Of((g, x) => g.Op(
            Fused,
            [x, axis == 1 ? g.Constant(Matrix) : IdiomGraph.Vector(g)],
            NodeAttribute.Of("axis", axis),
            NodeAttribute.Of("epsilon", 1e-3f)));
        model.Graph.Rename(model.Graph.Outputs[0], "y");
        return model;
    }
}

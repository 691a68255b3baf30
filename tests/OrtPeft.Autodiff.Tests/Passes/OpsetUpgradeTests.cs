using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Passes;

/// <summary>Nodes in their form of opset 13, run before and after the upgrade.</summary>
public sealed class OpsetUpgradeTests
{
    public static TheoryData<string, string, long> Reductions
    {
        get
        {
            var rows = new TheoryData<string, string, long>();
            foreach (var op in new[] { "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2" })
            {
                foreach (var axes in new[] { "", "0", "-1", "0,1" })
                    rows.Add(op, axes, axes.Length % 2);
            }

            foreach (var op in new[] { "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare" })
                rows.Add(op, "1", 1);
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Reductions))]
    public void Run_WhenReductionHasAxes_KeepsTheResult(string op, string axes, long keep)
    {
        long[] numbers = [.. axes.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)];
        NodeAttribute[] attributes = [NodeAttribute.Of("keepdims", keep), NodeAttribute.Of("axes", [.. numbers])];
        var model = Build(g => g.Ops(op, 1, [g.Graph.Inputs[0]], numbers.Length == 0 ? attributes[..1] : attributes));
        var expected = Run(model);

        OpsetUpgrade.Run(model);

        Assert.Equal(CanonicalForm.Opset, model.Opset);
        Assert.Equal(expected, Run(model));
        Assert.False(model.Graph.Nodes[0].Attributes.Contains("axes"));
    }

    [Fact]
    public void Run_WhenSplitIsEqual_KeepsTheParts()
    {
        var model = Build(static g => g.Ops("Split", 2, [g.Graph.Inputs[0]], [NodeAttribute.Of("axis", 1L)]));
        var expected = Run(model);

        OpsetUpgrade.Run(model);

        Assert.Equal(expected, Run(model));
        Assert.Equal(2, model.Graph.Nodes[0].Attributes.Int("num_outputs", 0));
    }

    [Fact]
    public void Run_WhenSplitHasLengths_KeepsTheParts()
    {
        var model = Build(static g => g.Split(g.Graph.Inputs[0], 1, 1, 3));
        var expected = Run(model);

        OpsetUpgrade.Run(model);

        Assert.Equal(expected, Run(model));
        Assert.False(model.Graph.Nodes[0].Attributes.Contains("num_outputs"));
    }

    [Fact]
    public void Run_WhenReductionIsInASubgraph_UpgradesIt()
    {
        var model = Build(static g => [g.Op(
            "If",
            [g.Scalar(ElementType.Bool, 1)],
            NodeAttribute.Of("then_branch", Branch(g.Graph, "ReduceMax")),
            NodeAttribute.Of("else_branch", Branch(g.Graph, "ReduceMin")))]);
        var expected = Run(model);

        OpsetUpgrade.Run(model);

        Assert.Equal(expected, Run(model));
    }

    [Fact]
    public void Run_WhenModelIsTooOld_SaysSo()
    {
        var model = new Model(6);

        var upgrade = () => OpsetUpgrade.Run(model);

        Assert.Contains("opset 6", Assert.Throws<UnsupportedOpException>(upgrade).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhenModelIsNewer_LeavesIt()
    {
        var model = new Model(22);

        OpsetUpgrade.Run(model);

        Assert.Equal(22, model.Opset);
    }

    private static Graph Branch(Graph outer, string op)
    {
        var branch = new Graph(op, outer);
        var node = branch.AddNode(op, [outer.Inputs[0]], [$"{op}/y"], [NodeAttribute.Of("axes", [1])]);
        node.Output.Type = ElementType.Float;
        branch.AddOutput(node.Output);
        return branch;
    }

    private static Model Build(Func<GraphBuilder, IReadOnlyList<Value>> body)
    {
        var model = new Model(13, irVersion: 8);
        model.Graph.AddInput("x", ElementType.Float, [2, 4]);
        foreach (var (i, output) in body(new GraphBuilder(model.Graph, new ShapeInference(13))).Index())
        {
            model.Graph.Rename(output, $"y{i}");
            output.Type = ElementType.Float;
            model.Graph.AddOutput(output);
        }

        return model;
    }

    private static float[][] Run(Model model)
    {
        using var session = new TestSession(model);
        session.Feed("x", new[] { 1f, 2, 3, 4, 5, 6, 7, 8 }, 2, 4);
        var outputs = model.Graph.Outputs.Select(static o => o.Name);
        return [.. session.Run<float>([.. outputs]).Select(static r => r.Elements)];
    }
}

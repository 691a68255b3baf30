using OrtPeft.Autodiff.Tests.Cases;
using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests;

public sealed class GradientTableTests
{
    public static TheoryData<string> Names => GradientCases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Rule_WhenLossIsMoved_MatchesDifferences(string name)
    {
        var row = GradientCases.ByName[name];

        var gradients = GradientProof.ByDifferences(row);

        GradientProof.WhenOptimized(row, gradients);
        GradientProof.InFloat32(row, gradients);
        GradientProof.LossInFloat32(row);
    }

    [Fact]
    public void Default_WhenWalked_HasCasesForEveryRow()
    {
        var tested = GradientCases.ByName.Values.Select(static c => c.Op).ToHashSet();
        var newest = GradientCases.ByName.Values.Max(static c => c.Opset);

        var keys = GradientTable.Default.Keys.ToArray();

        Assert.Empty(keys.Select(static k => k.OpType).Except(tested).Except(StraightThroughTests.Operators));
        Assert.Empty(tested.Except(keys.Select(static k => k.OpType)));
        Assert.All(keys, k => Assert.True(k.Domain.Length == 0 && k.SinceOpset <= newest));
    }

    /// <summary>A gradient rule reads a node as shape inference has checked it.</summary>
    [Fact]
    public void Operators_HaveAShapeRuleThatChecksTheirNodes()
    {
        var operators = GradientTable.Default.Keys.Select(static k => k.OpType).Distinct();

        Assert.All(operators, static op =>
        {
            var node = new Model(GradientModel.Opset).Graph.AddNode(op, [], []);
            Assert.Throws<GraphException>(() => new ShapeInference(GradientModel.Opset).Infer(node));
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Case_WhenBuilt_HoldsTheOperatorItIsFor(string name)
    {
        var row = GradientCases.ByName[name];
        var model = new Model(row.Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(row.Opset));

        row.Build(g, [.. row.Inputs.Select((input, i) =>
            model.Graph.AddInput($"x{i}", input.Type ?? ElementType.Float, Shape.Of(input.Dims)))]);

        Assert.Contains(model.Graph.Nodes, n => n.Is(row.Op));
    }
}

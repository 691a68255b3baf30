using OrtPeft.Autodiff.Tests.Proof;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Passes;

public sealed class ComputedConstantsTests
{
    private readonly Model _model = new(GradientModel.Opset);
    private readonly GraphBuilder _g;

    public ComputedConstantsTests() => _g = new GraphBuilder(_model.Graph, new ShapeInference(GradientModel.Opset));

    [Fact]
    public void Run_WhenLengthsAreKnown_FoldsTheirChain()
    {
        var x = _model.Graph.AddInput("x", ElementType.Float, [2, 3]);
        var columns = _g.Gather(_g.Shape(x), _g.Int64(1));
        Output(_g.Op("Reshape", x, _g.Concat(0, columns, _g.Int64(-1))));
        var expected = Run();

        ComputedConstants.Run(_model);

        Assert.Equal(["Reshape"], _model.Graph.Nodes.Select(static n => n.OpType));
        Assert.Equal(expected, Run());
    }

    [Fact]
    public void Run_WhenLengthsAreSymbolic_LeavesTheChain()
    {
        var x = _model.Graph.AddInput("x", ElementType.Float, [Dim.Named("n"), 3]);
        Output(_g.Op("Reshape", x, _g.Concat(0, _g.Gather(_g.Shape(x), _g.Int64(0)), _g.Int64(1, 3))));
        var expected = Run();

        ComputedConstants.Run(_model);

        Assert.Contains(_model.Graph.Nodes, static n => n.Is("Shape"));
        Assert.Equal(expected, Run());
    }

    [Fact]
    public void Run_WhenPartIsEmpty_DropsTheConcat()
    {
        var x = _model.Graph.AddInput("x", ElementType.Float, [2, 3]);
        var empty = _g.Constant(new Tensor(ElementType.Float, [2, 0], Tensor.Vector<float>().Data));
        Output(_g.Mul(_g.Concat(-1, empty, x), 2));
        var expected = Run();

        ComputedConstants.Run(_model);

        Assert.Equal(["Mul"], _model.Graph.Nodes.Select(static n => n.OpType));
        Assert.Equal(expected, Run());
    }

    [Fact]
    public void Run_WhenSeveralPartsAreLeft_KeepsTheResult()
    {
        var x = _model.Graph.AddInput("x", ElementType.Float, [2, 3]);
        var empty = _g.Constant(new Tensor(ElementType.Float, [2, 0], Tensor.Vector<float>().Data));
        Output(_g.Mul(_g.Concat(1, x, empty, x), 2));
        var expected = Run();

        ComputedConstants.Run(_model);

        Assert.Equal(expected, Run());
    }

    [Fact]
    public void Run_WhenKnownValueIsAResult_KeepsIt()
    {
        var x = _model.Graph.AddInput("x", ElementType.Float, [2, 3]);
        _model.Graph.AddOutput(_g.Shape(x));
        Output(_g.Mul(x, 2));
        var expected = Run();

        ComputedConstants.Run(_model);

        Assert.Equal(["Shape", "Mul"], _model.Graph.Nodes.Select(static n => n.OpType));
        Assert.Equal(expected, Run());
    }

    private void Output(Value value)
    {
        _model.Graph.Rename(value, "y");
        _model.Graph.AddOutput(value);
    }

    private float[] Run()
    {
        using var session = new TestSession(_model);
        session.Feed("x", new[] { 1f, 2, 3, 4, 5, 6 }, 2, 3);
        return session.Run<float>("y");
    }
}

using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class EmptySlotsTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Run_OnAnEmptySlotBesideALayer_LeavesTheLayer(bool isScaled, bool isFirst)
    {
        var (model, layer) = Layer(rank: 0, isScaled, isFirst);

        EmptySlots.Run(model);

        Assert.Equal(["MatMul", "Relu"], model.Graph.Nodes.Select(static n => n.OpType));
        Assert.Same(layer, model.Graph.Nodes[1].Inputs[0]);
    }

    [Fact]
    public void Run_OnASlotThatHoldsSomething_ChangesNothing()
    {
        var (model, _) = Layer(rank: 2, isScaled: true, isFirst: false);
        var nodes = model.Graph.Nodes.ToArray();

        EmptySlots.Run(model);

        Assert.Equal(nodes, model.Graph.Nodes);
    }

    private static (Model Model, Value Layer) Layer(int rank, bool isScaled, bool isFirst)
    {
        var model = new Model(opset: 21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var x = model.Graph.AddInput("x", ElementType.Float, [Dim.Named("batch"), 4]);
        var layer = g.MatMul(x, Matrix(g, 4, 3));
        var added = g.MatMul(g.MatMul(x, Matrix(g, 4, rank)), Matrix(g, rank, 3));
        if (isScaled)
            added = g.Mul(added, 2);
        model.Graph.AddOutput(g.Op("Relu", isFirst ? g.Add(added, layer) : g.Add(layer, added)));
        return (model, layer);
    }

    private static Value Matrix(GraphBuilder g, int rows, int columns) =>
        g.Constant(Tensor.Of<float>(new float[rows * columns], [rows, columns]), "matrix");
}

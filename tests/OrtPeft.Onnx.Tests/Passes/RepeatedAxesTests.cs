using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class RepeatedAxesTests
{
    [Fact]
    public void Run_WhereRowsAndTokensHaveOneName_TellsThemApartInAllInputs()
    {
        var model = new Model(opset: 21);
        var ids = model.Graph.AddInput("ids", ElementType.Int64, [Dim.Named("n"), Dim.Named("n")]);
        var past = model.Graph.AddInput("past", ElementType.Float, [Dim.Named("n"), 4, Dim.Named("batch"), 8]);

        RepeatedAxes.Run(model);

        Assert.Equal("[batch_rows, n]", ids.Shape!.ToString());
        Assert.Equal("[batch_rows, 4, batch, 8]", past.Shape!.ToString());
    }

    [Fact]
    public void Run_WhereNamesDiffer_ChangesNothing()
    {
        var model = new Model(opset: 21);
        var ids = model.Graph.AddInput("ids", ElementType.Int64, [Dim.Named("b"), Dim.Named("n")]);
        var mask = model.Graph.AddInput("mask", ElementType.Float, [Dim.Named("b"), 1, Dim.Named("n"), Dim.Named("n")]);
        var square = model.Graph.AddInput("square", ElementType.Float, [3, 3]);
        var unknown = model.Graph.AddInput("unknown", ElementType.Float, [Dim.Unknown, Dim.Unknown]);

        RepeatedAxes.Run(model);

        Assert.Equal(["[b, n]", "[b, 1, n, n]", "[3, 3]", "[?, ?]"], new[] { ids, mask, square, unknown }.Select(static i => i.Shape!.ToString()));
    }
}

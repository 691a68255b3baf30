using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class LogitsFirstTests
{
    private static readonly Shape Cube = Shape.Of([1, 2, 3]);

    [Fact]
    public void Run_OnANamedOutput_PutsItFirst() =>
        Assert.Equal(["logits", "a", "b"], Order(("a", Cube), ("logits", Cube), ("b", Cube)));

    [Fact]
    public void Run_BehindAScalarLoss_PutsTheLastOutputOfThreeAxesFirst() =>
        Assert.Equal(["y", "loss", "x"], Order(("loss", Shape.Scalar), ("x", Shape.Of([2])), ("y", Cube)));

    [Fact]
    public void Run_WhenNothingTellsTheLogits_KeepsTheOrder() =>
        Assert.Equal(["a", "b"], Order(("a", Cube), ("b", Cube)));

    private static IEnumerable<string> Order(params (string Name, Shape Shape)[] outputs)
    {
        var model = new Model(21);
        var x = model.Graph.AddInput("x0", ElementType.Float, [1]);
        foreach (var (name, shape) in outputs)
        {
            var output = model.Graph.AddNode("Identity", [x], [name]).Output;
            (output.Type, output.Shape) = (ElementType.Float, shape);
            model.Graph.AddOutput(output);
        }

        LogitsFirst.Run(model);
        LogitsFirst.Run(model);

        return model.Graph.Outputs.Select(static o => o.Name);
    }
}

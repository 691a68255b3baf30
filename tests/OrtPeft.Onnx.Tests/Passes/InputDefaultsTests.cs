using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class InputDefaultsTests
{
    [Fact]
    public void Run_OnAnInputWithADefault_MakesItAConstantAndLeavesTheOthers()
    {
        var model = new Model(21);
        var x = model.Graph.AddInput("x", ElementType.Float, [1]);
        var w = model.Graph.AddInput("w", ElementType.Float, [1]);
        model.Graph.SetInitializer(w, Tensor.Vector(1f));
        model.Graph.AddOutput(model.Graph.AddNode("Mul", [x, w], ["y"]).Output);

        InputDefaults.Run(model);
        InputDefaults.Run(model);

        Assert.Equal([x], model.Graph.Inputs);
        Assert.Equal([1f], w.Constant!.ToFloat32());
    }
}

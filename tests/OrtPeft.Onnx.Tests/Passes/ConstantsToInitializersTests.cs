using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class ConstantsToInitializersTests
{
    [Fact]
    public void Run_OnAConstantNode_KeepsItsNameAndContent()
    {
        var model = With("c");
        model.Graph.AddOutput(model.Graph.AddNode("Neg", [model.Graph.Nodes[0].Output], ["y"]).Output);

        ConstantsToInitializers.Run(model);
        ConstantsToInitializers.Run(model);

        Assert.Equal([2f], model.Graph.Find("c")!.Initializer!.ToFloat32());
        Assert.Equal("Neg", Assert.Single(model.Graph.Nodes).OpType);
    }

    [Fact]
    public void Run_OnAConstantThatIsAResult_LeavesTheNode()
    {
        var model = With("y");
        model.Graph.AddOutput(model.Graph.Nodes[0].Output);

        ConstantsToInitializers.Run(model);

        Assert.Equal("Constant", Assert.Single(model.Graph.Nodes).OpType);
    }

    private static Model With(string name)
    {
        var model = new Model(21);
        model.Graph.AddNode("Constant", [], [name], [NodeAttribute.Of("value", Tensor.Vector(2f))]);
        return model;
    }
}

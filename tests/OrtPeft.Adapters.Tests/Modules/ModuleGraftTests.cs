using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Tests.Modules;

public sealed class ModuleGraftTests
{
    /// <summary>New nodes go before the node that holds the reader, not behind everything.</summary>
    [Fact]
    public void ReplaceProduct_OfALayerThatOnlyABranchReads_KeepsTheExecutionOrder()
    {
        var model = new Model(CanonicalForm.Opset);
        var g = new GraphBuilder(model.Graph, new ShapeInference(model.Opset));
        var flag = model.Graph.AddInput("flag", ElementType.Bool, []);
        var layer = g.Op("MatMul", model.Graph.AddInput("x", ElementType.Float, [2, 4]), Weight(g));
        var branches = ((string[])["then_branch", "else_branch"]).Select(name => Branch(name, layer)).ToArray();
        var chosen = g.Op("If", [flag], branches);
        model.Graph.AddOutput(g.Op("Neg", chosen));

        var peft = PeftModel.Create(model, new LoraConfig { TargetModules = "all-linear" });

        GraphValidator.Check(peft.Model.Graph);
        Assert.Equal("Neg", peft.Model.Graph.Nodes[^1].OpType);
    }

    private static Value Weight(GraphBuilder g) =>
        g.Graph.AddInitializer("layer.weight", Tensor.Of<float>(new float[16], [4, 4]));

    private static NodeAttribute Branch(string name, Value read)
    {
        var branch = new Graph(name, read.Graph);
        branch.AddOutput(branch.AddNode("Abs", [read], [$"{name}/out"]).Output);
        return NodeAttribute.Of(name, branch);
    }
}

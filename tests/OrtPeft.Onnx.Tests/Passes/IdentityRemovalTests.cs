using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class IdentityRemovalTests
{
    [Fact]
    public void Run_OnParametersMergedByValue_GivesEachItsOwnTensor()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_defaultinit_nopast_op13.onnx"));

        IdentityRemoval.Run(model);

        Assert.DoesNotContain(model.Graph.Nodes, static n => n.Is("Identity"));
        string[] vectors = ["ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias", "mlp.c_fc.bias"];
        string[] layers = ["transformer.h.0", "transformer.h.1"];
        var expected = layers.SelectMany(layer => vectors.Select(v => $"{layer}.{v}"));
        Assert.All(expected, name => Assert.Single(model.Graph.Find(name)!.Uses));
    }

    [Fact]
    public void Run_OnATiedEmbedding_KeepsItTied()
    {
        var model = new Model(21);
        var weight = model.Graph.AddInitializer("transformer.wte.weight", Tensor.Of<float>([1, 2], [2, 1]));
        var x = model.Graph.AddInput("x", ElementType.Float, [1, 2]);
        var head = model.Graph.AddNode("Identity", [weight], ["lm_head.weight"]);
        model.Graph.AddOutput(model.Graph.AddNode("MatMul", [x, head.Output], ["y"]).Output);

        IdentityRemoval.Run(model);

        Assert.Same(weight, Assert.Single(model.Graph.Nodes).Inputs[1]);
    }

    [Fact]
    public void Run_OnAnOutput_KeepsItsName()
    {
        var model = new Model(21);
        var x = model.Graph.AddInput("x", ElementType.Float, [1]);
        model.Graph.AddOutput(model.Graph.AddNode("Identity", [x], ["y"]).Output);

        IdentityRemoval.Run(model);

        Assert.Equal("y", Assert.Single(model.Graph.Outputs).Name);
    }

    [Fact]
    public void Run_OnACastToTheTypeThereIs_RemovesItAndKeepsOthers()
    {
        var model = new Model(21);
        var x = model.Graph.AddInput("x", ElementType.Float, [1]);
        var same = Cast(model.Graph, x, ElementType.Float, "same");
        var half = Cast(model.Graph, same, ElementType.Float16, "half");
        model.Graph.AddOutput(half);

        IdentityRemoval.Run(model);

        Assert.Same(x, Assert.Single(model.Graph.Nodes).Inputs[0]);
    }

    private static Value Cast(Graph graph, Value x, ElementType to, string name) =>
        graph.AddNode("Cast", [x], [name], [NodeAttribute.Of("to", (long)to)]).Output;
}

using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Passes.Idioms;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Testing;

namespace OrtPeft.Onnx.Tests.Passes.Idioms;

public sealed class IdiomFusionTests
{
    [Theory]
    [InlineData("hf415_g2l_nopast_op11.onnx", "tanh")]
    [InlineData("hf442_g2l_nopast_op13.onnx", "tanh")]
    [InlineData("hf442_g2l_gelu_nopast_op16.onnx", "none")]
    [InlineData("nanogpt_g2l_op13.onnx", "none")]
    [InlineData("mslora_g2l_op13.onnx", "tanh")]
    public void Run_OnIdiomsWrittenOut_PutsOneNodeInTheirPlace(string name, string approximate)
    {
        var model = OnnxFile.Load(Fixtures.Graph(name));
        OpsetUpgrade.Run(model);

        SameResults.Check(model, Fuse, RandomInputs.For(model.Graph, new Sizes(2, 5, 0), seed: 3), 1e-5f);

        var gelus = model.Graph.Nodes.Where(static n => n.Is("Gelu")).ToArray();
        Assert.Equal(2, gelus.Length);
        Assert.All(gelus, n => Assert.Equal(approximate, n.Attributes.String("approximate", "")));
        Assert.Equal(5, model.Graph.Nodes.Count(static n => n.Is("LayerNormalization")));
        Assert.DoesNotContain(model.Graph.Nodes, static n => n.OpType is "Erf" or "Tanh" or "ReduceMean");
    }

    [Fact]
    public void Run_WhenAPartIsReadElsewhere_LeavesTheIdiom()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op13.onnx"));
        OpsetUpgrade.Run(model);
        foreach (var tanh in model.Graph.Nodes.Where(static n => n.Is("Tanh")).ToArray())
            model.Graph.AddOutput(tanh.Output);

        GeluFusion.Run(model);

        Assert.DoesNotContain(model.Graph.Nodes, static n => n.Is("Gelu"));
    }

    private static void Fuse(Model model)
    {
        LayerNormFusion.Run(model);
        GeluFusion.Run(model);
    }
}

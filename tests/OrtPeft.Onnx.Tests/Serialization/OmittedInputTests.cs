using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Onnx.Tests.Passes.Contrib;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Serialization;

public sealed class OmittedInputTests
{
    /// <summary>
    /// ONNX Runtime up to 1.30 crashes on a LayerNormalization whose third input is there, but empty.
    /// </summary>
    [Fact]
    public void ToBytes_WhenTheLastInputIsLeftOut_WritesNoEmptyName()
    {
        var model = new Model(17);
        var x = model.Graph.AddInput("x", ElementType.Float, [2, 4]);
        var scale = model.Graph.AddInput("scale", ElementType.Float, [4]);
        model.Graph.AddOutput(model.Graph.AddNode("LayerNormalization", [x, scale, null], ["y"]).Output);

        var bytes = OnnxFile.ToBytes(model);

        Assert.Equal(2, Assert.Single(OnnxFile.Load(bytes).Graph.Nodes).Inputs.Count);
        Assert.Single(Run.Of(bytes, NodeInputs.For(model.Graph, new Dictionary<string, long>(), seed: 0)));
    }
}

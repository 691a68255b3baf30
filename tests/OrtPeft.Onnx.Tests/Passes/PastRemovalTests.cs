using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class PastRemovalTests
{
    [Fact]
    public void Run_OnACacheInFrontOfKeys_TakesBothAway()
    {
        var (model, keys) = Decoder("past_key_values.0.key");

        PastRemoval.Run(model);
        PastRemoval.Run(model);

        Assert.Equal([keys], model.Graph.Inputs);
        Assert.Equal(keys, Assert.Single(model.Graph.Nodes).Inputs[0]);
    }

    [Fact]
    public void Run_OnAnInputOfAnotherName_LeavesIt()
    {
        var (model, _) = Decoder("memory");

        PastRemoval.Run(model);

        Assert.Equal(2, model.Graph.Inputs.Count);
        Assert.Contains(model.Graph.Nodes, static n => n.Is("Concat"));
    }

    private static (Model Model, Value Keys) Decoder(string cache)
    {
        var model = new Model(21);
        var g = new GraphBuilder(model.Graph, new ShapeInference(21));
        var (batch, sequence) = (Dim.Named("batch"), Dim.Named("sequence"));
        var past = model.Graph.AddInput(cache, ElementType.Float, [batch, 2, Dim.Named("past"), 4]);
        var keys = model.Graph.AddInput("keys", ElementType.Float, [batch, 2, sequence, 4]);
        model.Graph.AddOutput(g.Neg(g.Concat(2, past, keys)));
        return (model, keys);
    }
}

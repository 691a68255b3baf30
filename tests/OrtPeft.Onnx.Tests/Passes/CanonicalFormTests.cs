using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Onnx.Tests.Corpus;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Onnx.Tests.Passes;

public sealed class CanonicalFormTests
{
    public static TheoryData<string> Graphs =>
        [.. Fixtures.Graphs.Where(static g => !g.Contains("merged", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Apply_OnAGraphInTheWild_KeepsWhatItComputes(string graph)
    {
        var model = OnnxFile.Load(Fixtures.Graph(graph));
        var past = model.Graph.Inputs.Any(CacheInputs.IsPast) ? 4 : 0;
        var sizes = graph.Contains("static", StringComparison.Ordinal) ? new Sizes(3, 11, 0) : new Sizes(2, 5, past);
        foreach (var dropout in model.Graph.Nodes.Where(static n => n.Is("Dropout")))
            dropout.SetInput(2, null);

        SameResults.Check(model, CanonicalForm.Apply, RandomInputs.For(model.Graph, sizes, seed: 7), 1e-5f);
    }

    [Fact]
    public void Apply_OnAGraphWithItsOwnLoss_PutsTheLogitsFirst()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_withloss_op14.onnx"));

        CanonicalForm.Apply(model);

        Assert.Equal(["logits", "loss"], model.Graph.Outputs.Select(static o => o.Name));
    }

    [Fact]
    public void Apply_OnWeightsThatAreInputs_MakesThemConstants()
    {
        var model = new Model(13);
        var x = model.Graph.AddInput("x", ElementType.Float, [1, 2]);
        var w = model.Graph.AddInput("w.weight", ElementType.Float, [2, 1]);
        model.Graph.SetInitializer(w, Tensor.Of<float>([1, 2], [2, 1]));
        model.Graph.AddOutput(model.Graph.AddNode("MatMul", [x, w], ["y"]).Output);

        CanonicalForm.Apply(model);

        Assert.Equal(x, Assert.Single(model.Graph.Inputs));
        Assert.NotNull(w.Constant);
    }
}

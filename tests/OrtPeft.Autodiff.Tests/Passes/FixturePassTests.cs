using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Tests.Passes;

/// <summary>The passes keep what exported models compute.</summary>
public sealed class FixturePassTests
{
    private static readonly Dictionary<string, Action<Model>> Passes = new(StringComparer.Ordinal)
    {
        [nameof(ConstantsToInitializers)] = ConstantsToInitializers.Run,
        [nameof(OpsetUpgrade)] = OpsetUpgrade.Run,
        [nameof(ComputedConstants)] = ComputedConstants.Run,
        [nameof(DropoutLowering)] = static model => DropoutLowering.ForEvaluation(model),
    };

    private static readonly string[] Graphs = ["hf442_g2l_nopast_op13", "hf442_g2l_past_op14", "hf442_g2l_past_op17"];

    public static TheoryData<string, string> GraphsAndPasses
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var graph in Graphs)
            {
                foreach (var pass in Passes.Keys)
                    rows.Add(graph, pass);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(GraphsAndPasses))]
    public void Run_WhenModelIsExported_KeepsItsOutputs(string graph, string pass)
    {
        var model = FixtureGraph.Load(graph);
        var names = model.Graph.Outputs.Select(static o => o.Name).ToArray();
        var expected = FixtureGraph.Run(model);

        Passes[pass](model);

        Assert.Equal(names, model.Graph.Outputs.Select(static o => o.Name));
        Assert.Equal(expected, FixtureGraph.Run(model));
    }

    /// <summary>
    /// The canonical form fuses LayerNorm and GELU, which rounds in another order: float32 logits of order 10 differ by
    /// some units in their last place, 1e-6 each.
    /// </summary>
    [Theory]
    [InlineData("hf442_g2l_nopast_op13")]
    [InlineData("hf442_g2l_past_op14")]
    [InlineData("hf442_g2l_past_op17")]
    public void CanonicalForm_WhenModelIsExported_KeepsItsOutputsUpToRounding(string graph)
    {
        var model = FixtureGraph.Load(graph);
        var expected = FixtureGraph.Run(model);

        CanonicalForm.Apply(model);

        var pairs = expected.Zip(FixtureGraph.Run(model)).SelectMany(static p => p.First.Zip(p.Second));
        Assert.All(pairs, static p => Assert.Equal(p.First, p.Second, 1e-5f));
    }

    [Theory]
    [InlineData("hf442_g2l_past_op14")]
    [InlineData("hf442_g2l_past_op17")]
    public void PastRemoval_WhenPastsAreEmpty_KeepsTheLogits(string graph)
    {
        var model = FixtureGraph.LogitsOnly(FixtureGraph.Load(graph));
        CanonicalForm.Apply(model);
        var expected = FixtureGraph.Run(model);

        PastRemoval.Run(model);

        Assert.DoesNotContain(model.Graph.Inputs, CacheInputs.IsPast);
        Assert.Equal(expected, FixtureGraph.Run(model));
    }

    [Fact]
    public void PastRemoval_WhenThereIsNone_ChangesNothing()
    {
        var model = FixtureGraph.Load("hf442_g2l_nopast_op13");
        var nodes = model.Graph.Nodes.ToArray();

        PastRemoval.Run(model);

        Assert.Equal(nodes, model.Graph.Nodes);
    }

    [Theory]
    [InlineData("hf442_g2l_past_op14")]
    [InlineData("hf442_g2l_past_op17")]
    public void PastRemoval_WhenCachesAreStillResults_KeepsThem(string graph)
    {
        var model = FixtureGraph.Load(graph);
        var names = model.Graph.Outputs.Select(static o => o.Name).ToArray();
        var expected = FixtureGraph.Run(model);

        PastRemoval.Run(model);

        Assert.Equal(names, model.Graph.Outputs.Select(static o => o.Name));
        Assert.Equal(expected, FixtureGraph.Run(model));
    }

    [Fact]
    public void ConstantsToInitializers_WhenRun_LeavesNoConstantNodes()
    {
        var model = FixtureGraph.Load("hf442_g2l_nopast_op13");

        ConstantsToInitializers.Run(model);

        Assert.DoesNotContain(model.Graph.Nodes, static n => n.Is("Constant"));
    }

    [Theory]
    [InlineData("hf442_g2l_past_op14")]
    [InlineData("hf442_g2l_past_op17")]
    public void PastRemoval_WhenInferredAfterwards_HasNoEmptyAxisLeft(string graph)
    {
        var model = FixtureGraph.LogitsOnly(FixtureGraph.Load(graph));
        CanonicalForm.Apply(model);

        PastRemoval.Run(model);

        new ShapeInference(model.Opset).Infer(model.Graph);
        var floats = model.Graph.Values.Where(static v => v.Type.IsFloating()).ToArray();
        Assert.DoesNotContain(floats, static v => v.Shape?.Any(static d => d.Value == 0) == true);
    }
}

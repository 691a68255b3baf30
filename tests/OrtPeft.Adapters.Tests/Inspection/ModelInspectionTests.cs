using OrtPeft.Adapters.Inspection;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Inspection;

public sealed class ModelInspectionTests
{
    private const string Fused = "genai_tiny_random_gpt2_fused/past.onnx";

    private const string Merged = "hf442_g2l_legacymerged_op13__decoder_model_merged.onnx";

    public static TheoryData<string> Graphs => [.. Fixtures.Graphs];

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Verdict_OnAGraphInTheWild_IsThatItTrains(string graph)
    {
        var peft = PeftModel.Create(OnnxFile.Load(Fixtures.Graph(graph)), new LoraConfig { R = 2 });

        var verdict = TrainingVerdict.Of(peft);

        Assert.Null(verdict.Reason);
        Assert.Empty(verdict.WithoutGradient);
    }

    [Theory]
    [InlineData("hf442_g2l_nopast_op13.onnx", SharedWeight.Tied)]
    [InlineData("hf442_g2l_nopast_op13_nofold.onnx", SharedWeight.Tied)]
    [InlineData("hf442_g2l_nopast_op13_nopp.onnx", SharedWeight.Copied)]
    [InlineData("nanogpt_g2l_op13.onnx", SharedWeight.Copied)]
    [InlineData(Merged, SharedWeight.Tied)]
    public void SharedWeights_OfATiedEmbedding_SayInWhichForm(string graph, string kind)
    {
        var inspection = ModelInspection.Of(OnnxFile.Load(Fixtures.Graph(graph)));

        var shared = Assert.Single(inspection.SharedWeights);

        Assert.Equal(kind, shared.Kind);
        Assert.Equal("transformer.wte.weight", shared.Names[0]);
    }

    [Fact]
    public void SharedWeights_OfParametersMergedByValue_NameThem()
    {
        var inspection = ModelInspection.Of(
            OnnxFile.Load(Fixtures.Graph("hf442_g2l_defaultinit_nopast_op13.onnx")));

        var stored = inspection.SharedWeights.Where(static s => s.Kind == SharedWeight.StoredOnce).ToArray();

        Assert.Equal(4, stored.Length);
        Assert.Contains("transformer.ln_f.weight", stored[0].Names);
    }

    [Theory]
    [InlineData(Fused, "fused-to-standard", "com.microsoft.Attention", 5)]
    [InlineData(Fused, "fused-to-standard", "com.microsoft.SkipLayerNormalization", 10)]
    [InlineData("mslora_g2l_op13.onnx", "fuse-layer-norm", "LayerNormalization", 5)]
    [InlineData(Merged, "resolve-if", "If", 1)]
    public void Rewrites_CountWhatWasRewritten(string graph, string pass, string op, int count)
    {
        var inspection = ModelInspection.Of(OnnxFile.Load(Fixtures.Graph(graph)));

        Assert.Contains(new GraphRewrite(pass, op, count), inspection.Rewrites);
    }

    [Theory]
    [InlineData(Merged, "input_ids", "token ids")]
    [InlineData(Merged, "attention_mask", "attention mask")]
    [InlineData(Merged, "use_cache_branch", "cache switch")]
    [InlineData(Merged, "past_key_values.1.key", "past of layer 1 (key)")]
    [InlineData(Merged, "present.0.value", "present of layer 0 (value)")]
    [InlineData(Fused, "past_3", "past of layer 3")]
    [InlineData(Fused, "present_4", "present of layer 4")]
    [InlineData("hf442_g2l_withloss_op14.onnx", "labels", "labels")]
    [InlineData("hf442_g2l_withloss_op14.onnx", "loss", "loss")]
    [InlineData("hf442_g2l_withloss_op14.onnx", "logits", "logits")]
    [InlineData("hf442_g2l_nopast_op13.onnx", "position_ids", "positions")]
    public void Role_OfAnInputOrOutput(string graph, string name, string role)
    {
        var model = OnnxFile.Load(Fixtures.Graph(graph));

        Assert.Equal(role, ValuePurposes.Of(model.Graph.Find(name)!));
    }

    [Fact]
    public void Verdict_WithAnUnsupportedOperatorOnThePath_NamesIt()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        var hidden = model.Graph.Nodes.Last(static n => n.Is("LayerNormalization")).Output;
        var odd = Insert(model, hidden, "Det");

        var verdict = TrainingVerdict.Of(PeftModel.Create(model, new LoraConfig()));

        Assert.False(verdict.Trains);
        Assert.Contains("Det \"/odd\"", verdict.Reason, StringComparison.Ordinal);
        Assert.Equal(odd.Name, Assert.Single(verdict.WithoutGradient).Name);
    }

    [Fact]
    public void Verdict_WithAnUnsupportedOperatorBesideThePath_IsThatItTrains()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        Insert(model, model.Graph.Find("attention_mask")!, "Unique");

        var verdict = TrainingVerdict.Of(PeftModel.Create(model, new LoraConfig()));

        Assert.Null(verdict.Reason);
        Assert.Empty(verdict.WithoutGradient);
    }

    [Fact]
    public void Verdict_WithAnInputThatRowsDoNotBring_NamesIt()
    {
        var model = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op17.onnx"));
        model.Graph.Rename(model.Graph.Find("attention_mask")!, "token_types");

        var verdict = TrainingVerdict.Of(PeftModel.Create(model, new LoraConfig()));

        Assert.Contains("token_types", verdict.Reason, StringComparison.Ordinal);
    }

    private static Node Insert(Model model, Value value, string op)
    {
        var reader = value.Uses[0].Node;
        var node = model.Graph.AddNode(op, [value], ["odd"], name: "/odd", before: reader);
        (node.Output.Type, node.Output.Shape) = (value.Type, value.Shape);
        model.Graph.ReplaceAllUsesWith(value, node.Output, node);
        return node;
    }
}

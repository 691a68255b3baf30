using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Adapters.Tests.Lora;

/// <summary>LoRA beside, and merged into, the weights of every exporter's graph.</summary>
public sealed class WildGraphTests
{
    private static readonly LoraConfig AllLinear = new()
    {
        R = 4,
        LoraAlpha = 8,
        TargetModules = ModuleTargets.AllLinear,
        InitLoraWeights = false,
    };

    public static TheoryData<string> Graphs =>
        [.. Fixtures.Graphs.Where(static g => !g.Contains("legacymerged", StringComparison.Ordinal))];

    /// <summary>1e-5 absolute on logits of the order of 1, as float32 rounds them on the way.</summary>
    [Theory]
    [MemberData(nameof(Graphs))]
    public void Merge_IntoAnyLayout_GivesTheUnmergedLogits(string graph)
    {
        var peft = PeftModel.Create(OnnxFile.Load(Fixtures.Graph(graph)), AllLinear, seed: 5);

        var merged = peft.Merge();

        var (beside, inside) = (Logits(peft.Model), Logits(merged));
        Near.Absolute(beside, inside, 1e-5, "logits");
        Assert.Contains(
            beside.ToFloat32().Zip(Logits(OnnxFile.Load(Fixtures.Graph(graph))).ToFloat32()),
            static pair => Math.Abs(pair.First - pair.Second) > 0.01);
        Assert.DoesNotContain(merged.Graph.Values, static v => v.Name.Contains("lora_", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Create_OnAnyExportersGraph_UsesHfPeftsNames(string graph)
    {
        var nodes = OnnxFile.Load(Fixtures.Graph(graph)).Graph.Nodes;
        var layers = nodes.Count(static n => n.OpType is "Softmax" or "Attention");
        string[] modules = ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"];
        var expected = Enumerable.Range(0, layers).SelectMany(h => modules.SelectMany(m => new[]
        {
            $"base_model.model.transformer.h.{h}.{m}.lora_A.weight",
            $"base_model.model.transformer.h.{h}.{m}.lora_B.weight",
        }));

        var peft = PeftModel.Create(OnnxFile.Load(Fixtures.Graph(graph)), AllLinear);

        Assert.Equal(expected, peft.Parameters.Select(static p => p.Name));
    }

    private static Tensor Logits(Model model)
    {
        var copy = model.Clone();
        DropoutLowering.ForEvaluation(copy);
        var ids = Tensor.Of<long>([.. Enumerable.Range(0, 33).Select(static i => (long)(i * 7 % 67))], [3, 11]);
        var batch = new Dictionary<string, Tensor> { ["input_ids"] = ids, ["labels"] = ids };
        return OnnxRun.Of(copy, Feeds.Of(copy.Graph, batch))["logits"];
    }
}

using OrtPeft.Adapters;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Runtime.Feeding;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>Optimum's merged decoder with an adapter: its If stays, and both branches read the merged
/// weights.</summary>
public sealed class MergedDecoderTests
{
    private static readonly RuntimeOptions OneThread = new() { Threads = 1 };

    private static readonly GenerationOptions Greedy = new() { MaxNewTokens = 30 };

    [Fact]
    public void Merge_KeepsTheIf_AndBothBranchesHaveTheAdapter()
    {
        var merged = Adapted(Fixture.Merged).Merge();

        var tokens = Generate(merged);

        Assert.Equal("If", Assert.Single(merged.Graph.Nodes).OpType);
        Assert.Contains(merged.Graph.Inputs, static i => i.Name == DecoderInputs.Switch);
        Assert.Equal(Generate(Adapted(Fixture.NoPast).ForInference()), tokens);
        Assert.NotEqual(Generate(Fixture.Load(Fixture.Merged)), tokens);
    }

    [Fact]
    public void ForInference_StillHasItsCache()
    {
        var model = Adapted(Fixture.Merged).ForInference();

        Assert.Contains(model.Graph.Inputs, static i => i.Name == "past_key_values.0.key");
        Assert.Equal(Generate(Adapted(Fixture.Past).ForInference()), Generate(model));
    }

    [Fact]
    public void Merge_WhenAWeightStandsForTwo_LeavesTheBranchWithoutAPast()
    {
        var model = Fixture.Load(Fixture.Merged);
        var shared = model.Graph.Find("transformer.h.0.attn.c_attn.weight_merged_0")!;
        var other = model.Graph.Find("transformer.h.1.attn.c_attn.weight_merged_0")!;
        model.Graph.SetInitializer(other, shared.Initializer!);

        var merged = Adapted(model).Merge();

        Assert.DoesNotContain(merged.Graph.Nodes, static n => n.Subgraphs.Any());
        Assert.Equal(30, Generate(merged).Length);
    }

    private static PeftModel Adapted(string graph) => Adapted(Fixture.Load(graph));

    private static PeftModel Adapted(Model model) => PeftModel.Load(
        model, Path.Combine(AppContext.BaseDirectory, "Fixtures", "peft_ckpt", "g2l_lora_all"));

    private static int[] Generate(Model model)
    {
        using var generator = Generator.Open(model, OneThread);
        return [.. generator.Generate([17, 3, 88], Greedy)];
    }
}

using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Merging;
using OrtPeft.Adapters.Modules;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Testing;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>Adapters merged into what ONNX Runtime GenAI's builder wrote: its graph stays.</summary>
public sealed class MergedGenAiTests
{
    private static readonly string Folder = Path.Combine(Fixtures.Folder, "genai");

    [Theory]
    [InlineData("llama", "fp32", MergeForm.Requantized)]
    [InlineData("qwen2", "fp32", MergeForm.Float)]
    [InlineData("llama", "fp32", MergeForm.Branches)]
    [InlineData("qwen2", "fp32", MergeForm.Branches)]
    [InlineData("llama", "int4", MergeForm.Float)]
    [InlineData("qwen2", "int4", MergeForm.Float)]
    [InlineData("llama", "int4", MergeForm.Branches)]
    [InlineData("qwen2", "int4", MergeForm.Branches)]
    public void MergeAs_WithoutRounding_GivesPeftsTokens(string family, string build, MergeForm form)
    {
        var source = Path.Combine(Folder, $"{family}-{build}");
        var outcome = Adapted(family, build).MergeAs(form);
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(source, "expected.json")));
        foreach (var node in outcome.Model.Graph.Nodes.Where(static n => n.OpType == "MatMulNBits"))
            node.Attributes.Set(NodeAttribute.Of("accuracy_level", 1L)); // PEFT does not round activations
        using var generator = Generator.Open(outcome.Model, new RuntimeOptions { Threads = 1 });

        var tokens = generator.Generate(
            Numbers(expected.RootElement.GetProperty("ids"))[..6], new GenerationOptions { MaxNewTokens = 10 }).ToArray();

        Assert.True(outcome.IsSourceGraph);
        Assert.Equal(Numbers(expected.RootElement.GetProperty("patterns").GetProperty("greedy")), tokens);
    }

    [Theory]
    [InlineData("llama", "fp32")]
    [InlineData("llama", "int4")]
    [InlineData("qwen2", "int4")]
    public void MergeAs_Requantized_KeepsTheGraphAndUntouchedLayers(string family, string build)
    {
        var original = OnnxFile.Load(Path.Combine(Folder, $"{family}-{build}", "model.onnx"));
        var peft = PeftModel.Create(original, new LoraConfig
        {
            R = 2,
            TargetModules = ["q_proj", "down_proj"],
            InitLoraWeights = false,
        });

        var outcome = peft.MergeAs(MergeForm.Requantized);

        Assert.True(outcome.IsSourceGraph);
        Assert.Equal(build == "int4" ? 4 : 0, outcome.Requantized);
        Assert.InRange(outcome.RelativeError, 0, 1.5);
        Assert.Equal(Lines(original), Lines(outcome.Model));
        Assert.Equal(original.Opsets, outcome.Model.Opsets);
        var changed = outcome.Model.Graph.Initializers
            .Where(v => v.Initializer!.Data != original.Graph.Find(v.Name)!.Initializer!.Data)
            .Select(static v => v.Name).ToList();
        Assert.NotEmpty(changed);
        Assert.All(changed, static name => Assert.True(
            name.Contains("qkv_proj", StringComparison.Ordinal) || name.Contains("down_proj", StringComparison.Ordinal), name));
    }

    /// <summary>Rows of the packed weight that hold keys and values are not the adapter's.</summary>
    [Fact]
    public void MergeAs_Requantized_KeepsOtherPartsOfAPackedWeight()
    {
        var original = OnnxFile.Load(Path.Combine(Folder, "llama-int4", "model.onnx"));
        const string Packed = "model.layers.0.attn.qkv_proj.MatMul.weight_Q4";
        var peft = PeftModel.Create(
            original, new LoraConfig { R = 2, TargetModules = ["q_proj"], InitLoraWeights = false });

        var merged = peft.MergeAs(MergeForm.Requantized).Model;

        var (before, after) = (Bytes(original, Packed), Bytes(merged, Packed));
        Assert.NotEqual(before[..512], after[..512]);
        Assert.Equal(before[512..], after[512..]);
    }

    /// <summary>What nobody changes is not rounded again.</summary>
    [Fact]
    public void MergeAs_OfAnAdapterThatDoesNothing_KeepsEveryByte()
    {
        var original = OnnxFile.Load(Path.Combine(Folder, "qwen2-int4", "model.onnx"));
        var peft = PeftModel.Create(original, new LoraConfig { R = 2, TargetModules = ModuleTargets.AllLinear });

        var merged = peft.MergeAs(MergeForm.Requantized).Model;

        Assert.All(original.Graph.Initializers, v => Assert.Equal(Bytes(original, v.Name), Bytes(merged, v.Name)));
    }

    private static PeftModel Adapted(string family, string build) => PeftModel.Load(
        OnnxFile.Load(Path.Combine(Folder, $"{family}-{build}", "model.onnx")),
        Path.Combine(Folder, $"{family}-adapter-peft-patterns"));

    private static IEnumerable<string> Lines(Model model) => model.Graph.Nodes.Select(static n =>
        $"{n.Domain}.{n.OpType} {n.Name} ({string.Join(", ", n.Inputs.Select(static i => i?.Name))}) -> "
        + string.Join(", ", n.Outputs.Select(static o => o.Name)));

    private static byte[] Bytes(Model model, string name) =>
        model.Graph.Find(name)!.Initializer!.Data is var data ? data.Slice(0, (int)data.Length).ToArray() : [];

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetInt32())];
}

using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Exports;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Merging;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>
/// GenAI's builds of families whose HF models pack projections, as Phi-3 does: the builder packs queries, keys and values
/// too but takes gate and up apart. The builds are the tiny Llama's, said to be Phi-3's, which computes the same; the
/// adapters are PEFT's for the parts, put together for the packed modules.
/// </summary>
public sealed class PackedInHfTests
{
    private static readonly string Folder = Path.Combine(Fixtures.Folder, "genai");

    private static readonly (string Packed, string[] Parts)[] Layers =
        [("qkv_proj", ["q_proj", "k_proj", "v_proj"]), ("gate_up_proj", ["gate_proj", "up_proj"])];

    [Theory]
    [InlineData("fp32")]
    [InlineData("int4")]
    public void Generate_WithAnAdapterOfPackedModules_GivesPeftsTokens(string build) =>
        Assert.Equal(Expected(build), Generated(Adapted(build).ForInference(), build));

    [Theory]
    [InlineData("fp32", MergeForm.Float)]
    [InlineData("fp32", MergeForm.Branches)]
    [InlineData("int4", MergeForm.Float)]
    [InlineData("int4", MergeForm.Branches)]
    public void MergeAs_KeepsTheGraphThatTookThemApart(string build, MergeForm form)
    {
        var outcome = Adapted(build).MergeAs(form);
        foreach (var node in outcome.Model.Graph.Nodes.Where(static n => n.OpType == "MatMulNBits"))
            node.Attributes.Set(NodeAttribute.Of("accuracy_level", 1L)); // PEFT does not round activations

        Assert.True(outcome.IsSourceGraph);
        Assert.DoesNotContain(outcome.Model.Graph.Values, static v => v.Name.Contains("gate_up", StringComparison.Ordinal));
        Assert.Equal(Expected(build), Generated(outcome.Model, build));
    }

    [Fact]
    public void MergeAs_Requantized_TakesEachPartInItsPlace()
    {
        var outcome = Adapted("int4").MergeAs(MergeForm.Requantized);

        Assert.True(outcome.IsSourceGraph);
        Assert.Equal(10, outcome.Requantized); // of each of two layers qkv, o, gate, up, down
    }

    [Fact]
    public void LoraInputs_AreOfTheParts()
    {
        var inputs = LoraInputs.Of(Adapted("fp32"));

        var names = inputs.TensorsOf(PeftModel.DefaultName).Select(static t => t.Name).ToList();
        Assert.Contains("model.layers.0.mlp.gate_proj.lora_A.weight", names);
        Assert.Contains("model.layers.0.mlp.up_proj.lora_B.weight", names);
        Assert.Contains("model.layers.0.self_attn.qkv_proj.lora_A.weight", names);
        Assert.All(names, name => Assert.NotNull(inputs.Model.Graph.Find(name!)));
    }

    [Theory]
    [InlineData("phi3", true)]
    [InlineData("phi4", true)]
    [InlineData("phimoe", false)]
    [InlineData("llama", false)]
    public void TargetModules_AreHfs(string type, bool isPacked)
    {
        var model = Load("fp32", type);

        var peft = PeftModel.Create(model, new LoraConfig { TargetModules = Adapters.Modules.ModuleTargets.AllLinear });

        var modules = peft.GetWeights().Keys.Select(static n => n.Split('.')[^3]).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(
            isPacked
                ? ["down_proj", "gate_up_proj", "o_proj", "qkv_proj"]
                : ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"],
            modules);
    }

    /// <summary>Where nothing says that the family packs its projections, an adapter of packed modules is refused.</summary>
    [Theory]
    [InlineData("llama", "gate_up_proj", "'gate_up_proj' is gate_proj, up_proj here")]
    [InlineData("phi3", "up_proj", "'up_proj' is a part of 'gate_up_proj' here")]
    public void Create_WithNamesOfTheOtherForm_SaysWhatTheyAreHere(string type, string target, string expected)
    {
        var model = Load("fp32", type);

        var alone = Assert.Throws<ConfigException>(() => PeftModel.Create(model, new LoraConfig { TargetModules = [target] }));
        var beside = Assert.Throws<ConfigException>(
            () => PeftModel.Create(model, new LoraConfig { TargetModules = [target, "o_proj"] }));

        Assert.Contains(expected, alone.Message, StringComparison.Ordinal);
        Assert.Contains(expected, beside.Message, StringComparison.Ordinal);
    }

    private static Model Load(string build, string type)
    {
        var model = OnnxFile.Load(Path.Combine(Folder, $"llama-{build}", "model.onnx"));
        model.Metadata[MetadataKeys.BuilderType] = type;
        return model;
    }

    /// <summary>PEFT's adapter for the parts as one for the packed modules: A side by side, B block by block.</summary>
    private static PeftModel Adapted(string build)
    {
        var weights = AdapterFolder.LoadWeights(Path.Combine(Folder, "llama-adapter-peft")).ToDictionary();
        var config = (LoraConfig)AdapterFolder.LoadConfig(Path.Combine(Folder, "llama-adapter-peft"));
        foreach (var (packed, parts) in Layers)
        {
            foreach (var first in weights.Keys.Where(n => n.EndsWith($".{parts[0]}.lora_A.weight", StringComparison.Ordinal)).ToList())
            {
                var path = first[..^$"{parts[0]}.lora_A.weight".Length];
                weights[$"{path}{packed}.lora_A.weight"] = Stacked([.. parts.Select(p => weights[$"{path}{p}.lora_A.weight"])]);
                weights[$"{path}{packed}.lora_B.weight"] = Blocks([.. parts.Select(p => weights[$"{path}{p}.lora_B.weight"])]);
            }
        }

        foreach (var part in Layers.SelectMany(static l => l.Parts))
        {
            foreach (var name in weights.Keys.Where(n => n.Contains($".{part}.", StringComparison.Ordinal)).ToList())
                weights.Remove(name);
        }

        return PeftModel.Create(
            Load(build, "phi3"),
            config with
            {
                TargetModules = ["qkv_proj", "gate_up_proj", "o_proj", "down_proj"],
                RankPattern = [new("qkv_proj", 3 * config.R), new("gate_up_proj", 2 * config.R)],
                AlphaPattern = [new("qkv_proj", 3 * config.LoraAlpha), new("gate_up_proj", 2 * config.LoraAlpha)],
            },
            weights,
            "the packed adapter");
    }

    private static Tensor Stacked(Tensor[] parts) => Tensor.Of<float>(
        [.. parts.SelectMany(static p => p.ToFloat32())], [parts.Sum(static p => p.Dims[0]), parts[0].Dims[1]]);

    private static Tensor Blocks(Tensor[] parts)
    {
        var (rank, columns) = ((int)parts[0].Dims[1], (int)parts.Sum(static p => p.Dims[1]));
        var blocks = new List<float>();
        foreach (var (i, part) in parts.Index())
        {
            foreach (var row in part.ToFloat32().Chunk(rank))
                blocks.AddRange([.. new float[i * rank], .. row, .. new float[columns - ((i + 1) * rank)]]);
        }

        return Tensor.Of<float>([.. blocks], [parts.Sum(static p => p.Dims[0]), columns]);
    }

    private static int[] Generated(Model model, string build)
    {
        using var generator = Generator.Open(model, new RuntimeOptions { Threads = 1 });
        return [.. generator.Generate(Numbers(Golden(build).GetProperty("ids"))[..6], new GenerationOptions { MaxNewTokens = 10 })];
    }

    private static int[] Expected(string build) => Numbers(Golden(build).GetProperty("lora").GetProperty("greedy"));

    private static JsonElement Golden(string build) => JsonElement.Parse(
        File.ReadAllText(Path.Combine(Folder, $"llama-{build}", "expected.json")));

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetInt32())];
}

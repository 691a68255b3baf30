using OrtPeft.Adapters;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Ia3;
using OrtPeft.Adapters.LnTuning;
using OrtPeft.Adapters.Loha;
using OrtPeft.Adapters.Lokr;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Adapters.Tests;
using OrtPeft.Adapters.Tests.Quantization;
using OrtPeft.Adapters.TrainableTokens;
using OrtPeft.Adapters.Vera;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Tests.Rewrites;

public sealed class RowPickingTests
{
    private const string LlamaLikeName = "llama-like";

    private static readonly LoraConfig Lora = new() { InitLoraWeights = false, TargetModules = "all-linear" };

    private static readonly Speedup Rewrite = Speedups.All.Single(static s => s.Name == "pick-rows");

    private static IReadOnlyDictionary<string, PeftConfig> Configs { get; } = new Dictionary<string, PeftConfig>
    {
        ["lora"] = Lora,
        ["lora and head"] = Lora with { TargetModules = ".*(lm_head|c_proj|down_proj)" },
        ["dora"] = Lora with { UseDora = true },
        ["dropout"] = Lora with { LoraDropout = 0.5 },
        ["dora and dropout"] = Lora with { UseDora = true, LoraDropout = 0.5 },
        ["full"] = new FullConfig(),
        ["ia3"] = new Ia3Config { InitIa3Weights = false },
        ["loha"] = new LohaConfig { R = 4, InitWeights = false },
        ["lokr"] = new LokrConfig { InitWeights = false, DecomposeFactor = 4 },
        ["vera"] = new VeraConfig { R = 8, InitWeights = false },
        ["bottleneck"] = new BottleneckConfig { ReductionFactor = 4 },
        ["ln-tuning"] = new LnTuningConfig(),
        ["tokens"] = new TrainableTokensConfig { TokenIndices = [3, 5, 11] },
        ["prompt"] = new PromptTuningConfig { NumVirtualTokens = 3 },
    };

    /// <summary>Every method on one of GPT-2's graphs, which take turns, and on a graph like Llama's.</summary>
    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var (place, method) in Configs.Keys.Index())
            {
                cases.Add(Gpt2.Names[place % Gpt2.Names.Count], method);
                cases.Add(LlamaLikeName, method);
            }

            return cases;
        }
    }

    public static TheoryData<string> Methods => [.. Configs.Keys];

    /// <summary>Nothing but rounding differs, with labels at no position, at one, at some and at all.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_ByItself_KeepsTheResults(string model, string method)
    {
        var peft = Adapted(model, method);

        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [] }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [Rewrite] }).Model;

        Assert.NotEmpty(ProductsOfSupervised(rewritten, Last(model)));
        SameResults.Must(peft, plain, rewritten, Batches);
    }

    /// <summary>The kernels take rows of any number, none among them.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void Run_BeforeAllOthers_KeepsTheResults(string method)
    {
        var peft = Adapted(Gpt2.Imported, method);

        var others = Speedups.Except([Rewrite.Name]);
        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = others }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).Model;

        SameResults.Must(peft, plain, rewritten, Batches);
    }

    /// <summary>A dequantised weight is not a row, forwards and backwards, and may be multiplied by none.</summary>
    [Theory]
    [InlineData(Gpt2.Imported, "int4")]
    [InlineData(QuantizedBase.Llama, "nf4")]
    public void Run_OnAQuantisedBase_KeepsTheResults(string model, string form)
    {
        var peft = PeftModel.Create(QuantizedBase.Quantized(model, form), Lora, seed: 3);

        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [] }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [Rewrite] }).Model;

        SameResults.Must(peft, plain, rewritten, Batches);
    }

    /// <summary>Forwards and backwards: the layer behind attention and the two of the MLP, in no other block.</summary>
    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void Run_OnGpt2_LeavesTheLastBlockSupervisedPositions(string model)
    {
        var peft = PeftModel.Create(Gpt2.Open(model), Lora with { TargetModules = ["c_attn"] });

        var graph = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [Rewrite] }).Model;

        Assert.Equal(6, ProductsOfSupervised(graph, "/h.1/").Count());
        Assert.Empty(ProductsOfSupervised(graph, "/h.0/"));
    }

    /// <summary>The kernels that a block ends with elsewhere, it ends with in the last block too.</summary>
    [Theory]
    [InlineData("c_attn")]
    [InlineData("c_attn", "c_proj", "c_fc")]
    public void Run_BeforeTheKernels_KeepsThem(params string[] targets)
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), Lora with { TargetModules = [.. targets] });

        var others = Speedups.Except([Rewrite.Name]);
        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = others }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).Model;

        Assert.Contains(Kernels(plain), static k => k.Key == "SelfAttentionGrad" && k.Value == 2);
        Assert.Equal(Kernels(plain), Kernels(rewritten));
    }

    private static long[][] Labels { get; } =
    [
        [-100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100],
        [-100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100, -100, 7, -100, -100],
        [-100, -100, -100, -100, 5, 9, 2, 6, -100, -100, -100, 5, -100, 5, -100, 9],
        [3, 1, 4, 1, 5, 9, 2, 6, 4, 7, 1, 5, 3, 5, 8, 9],
    ];

    private static IEnumerable<Dictionary<string, Tensor>> Batches => Labels.Select(static labels =>
        new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>([3, 1, 4, 1, 5, 9, 2, 6, 0, 0, 0, 5, 3, 5, 8, 9], [2, 8]),
            ["attention_mask"] = Tensor.Of<long>([1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1], [2, 8]),
            ["labels"] = Tensor.Of<long>(labels, [2, 8]),
            [TrainingGraph.Scale] = Tensor.Scalar(1f / 12),
            [SeededBits.SeedInput] = Tensor.Scalar(5L),
        });

    private static PeftModel Adapted(string model, string method) =>
        PeftModel.Create(model == LlamaLikeName ? LlamaLike.Build() : Gpt2.Open(model), Configs[method], seed: 3);

    private static string Last(string model) => model == LlamaLikeName ? "/layers.1/" : "/h.1/";

    private static IEnumerable<Node> ProductsOfSupervised(Model model, string scope) => model.Graph.Nodes.Where(n =>
        (n.Is("MatMul") || n.Is("Gemm")) && n.Output.Shape![0].SurelyEquals(CausalLm.Supervised)
        && n.Name.Contains(scope, StringComparison.Ordinal));

    private static SortedDictionary<string, int> Kernels(Model model) => new(
        model.Graph.Nodes.Where(static n => n.Domain == FusedOp.Domain)
            .CountBy(static n => n.OpType)
            .ToDictionary());
}

using OrtPeft.Adapters;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Tests;
using OrtPeft.Adapters.Tests.Llama;
using OrtPeft.Adapters.Tests.Quantization;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels.Products;
using OrtPeft.Models;
using OrtPeft.Models.Gpt2;
using OrtPeft.Models.Initialization;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Rewrites;

public sealed class SpeedupsTests
{
    /// <summary>Those that keep results.</summary>
    public static TheoryData<string> Names => [.. Speedups.All.Where(static s => !s.IsForBf16).Select(static s => s.Name)];

    /// <summary>
    /// Every weight trains where the rewrite is not about frozen ones, and a layer below all others where it is: rows
    /// of padding, of which the last predicts the first token, are among the batch, and rows of 4 KiB in the model.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Run_OfOneRewrite_ChangesTheGraphAndNotItsResults(string name)
    {
        using var folder = new TemporaryFolder();
        var speedup = Speedups.All.Single(s => s.Name == name);
        var isOfFrozen = speedup.ForPackedWeights || speedup.UsesKernels;
        var isOfLlama = name is "kernel-rms-norm" or "kernel-gated-mlp" or "kernel-rotary" or "kernel-head-rows";
        PeftConfig config = isOfFrozen
            ? new LoraConfig
            {
                TargetModules = [isOfLlama ? "q_proj" : "c_attn"],
                LoraDropout = name == "kernel-dropout" ? 0.5 : 0,
            }
            : new FullConfig();
        var peft = PeftModel.Create(isOfLlama ? LlamaLike.Build() : Wide(folder.Path), config, seed: 3);

        var basis = Speedups.All.Where(s => Requirements(speedup).Contains(s.Name)).ToArray();

        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = basis }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [.. basis, speedup] }).Model;

        Assert.NotEqual(Operators(plain), Operators(rewritten));
        var batch = Batch;
        if (plain.Graph.Inputs.Any(static i => i.Name == SeededBits.SeedInput))
            batch[SeededBits.SeedInput] = Tensor.Scalar(7L);
        SameResults.Must(peft, plain, rewritten, batch);
    }

    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void Run_OfAllOnExportedGraphs_KeepsTheResults(string model)
    {
        var peft = PeftModel.Create(Gpt2.Open(model), new LoraConfig { TargetModules = ["c_attn", "c_fc"] }, seed: 3);

        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [] }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).Model;

        SameResults.Must(peft, plain, rewritten, Batch);
    }

    /// <summary>Products read the codes themselves, forwards and backwards, and the weights are never whole.</summary>
    [Theory]
    [InlineData(Gpt2.Imported, "int4")]
    [InlineData(Gpt2.Imported, "uint8")]
    [InlineData(Gpt2.Imported, "nf4")]
    [InlineData(QuantizedBase.Llama, "uint4")]
    [InlineData(QuantizedBase.Llama, "int8")]
    [InlineData(QuantizedBase.Llama, "nf4")]
    public void Run_OfAllOnAQuantisedBase_MultipliesWithCodes(string model, string form)
    {
        var peft = PeftModel.Create(
            QuantizedBase.Quantized(model, form), new LoraConfig { TargetModules = "all-linear" }, seed: 3);

        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [] }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).Model;

        Assert.Contains(plain.Graph.Nodes, static n => QuantizedWeight.Find(n.Output) is not null);
        Assert.DoesNotContain(rewritten.Graph.Nodes, static n => n.Is("DequantizeLinear"));
        SameResults.Must(peft, plain, rewritten, Scaled(QuantizedBase.Batch(model)));
    }

    /// <summary>A scale for each row of the matrix, of which a panel's columns have many: the weight is dequantised as
    /// the graph says, beside products that read codes.</summary>
    [Fact]
    public void Run_OfBlocksAcrossTheSums_LeavesTheWeightAsItIs()
    {
        var model = QuantizedBase.Quantized(Gpt2.Imported);
        var weight = model.Graph.Nodes.Select(static n => QuantizedWeight.Find(n.Output)).First(static w => w is not null)!;
        var name = weight.Node.Output.Name;
        var numbers = weight.ToFloat32();
        weight.ReplaceBy(numbers);
        QuantizedWeight.Replace(
            GraphBuilder.Over(model), model.Graph.Find(name)!,
            BlockQuantizer.Quantize(numbers, axis: 1, new BlockFormat { BlockSize = 32 }));
        var peft = PeftModel.Create(model, new LoraConfig { TargetModules = "all-linear" }, seed: 3);

        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [] }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).Model;

        Assert.Contains(rewritten.Graph.Nodes, n => n.Is("DequantizeLinear") && n.Output.Name == name);
        Assert.Contains(rewritten.Graph.Nodes, static n => PackedMatMul.Lora.Is(n));
        SameResults.Must(peft, plain, rewritten, Scaled(QuantizedBase.Batch(Gpt2.Imported)));
    }

    /// <summary>What finds nothing is named: the other family's operators, what larger ones take in, and what wants
    /// rows of other lengths.</summary>
    [Theory]
    [InlineData(
        "gpt2",
        "pad-rows kernel-rms-norm kernel-gated-mlp kernel-rotary kernel-dropout kernel-softmax kernel-heads kernel-head-rows "
        + "kernel-strips pad-operands")]
    [InlineData("llama", "pad-rows kernel-activation kernel-layer-norm kernel-dropout kernel-softmax kernel-strips pad-operands")]
    [InlineData("llama-like", "pad-rows kernel-activation kernel-layer-norm kernel-dropout kernel-softmax kernel-strips pad-operands")]
    public void ForTraining_OfAllLinearLayers_NamesWhatFoundNothing(string model, string expected)
    {
        var peft = PeftModel.Create(Family(model), new LoraConfig { TargetModules = "all-linear" }, seed: 3);

        var names = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).IdleSpeedups;

        Assert.Equal(expected, string.Join(' ', names));
    }

    [Fact]
    public void Build_OfRowsOf4KiB_DoesNotNameThePadding()
    {
        using var folder = new TemporaryFolder();
        var peft = PeftModel.Create(Wide(folder.Path), new LoraConfig { TargetModules = ["c_attn"] }, seed: 3);
        var padding = Speedups.All.Where(static s => s.Name is "pad-rows" or "pad-operands").ToArray();

        var together = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = padding });
        var alone = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [padding[1]] });

        Assert.Equal(["pad-operands"], together.IdleSpeedups); // rows that pad-rows has lengthened
        Assert.Empty(alone.IdleSpeedups);
    }

    [Fact]
    public void Build_WithARewriteThatFails_NamesTheRewrite()
    {
        var peft = PeftModel.Create(Family("gpt2"), new LoraConfig { TargetModules = ["c_attn"] }, seed: 3);
        var broken = new Speedup("take-none", "fails")
        {
            BeforeGradient = static _ => throw new KeyNotFoundException("No such node."),
        };

        var error = Assert.Throws<PassException>(
            () => TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [broken] }));

        Assert.StartsWith("rewrite 'take-none': KeyNotFoundException: No", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Where an adapter works between the two layers, their rows stay as they are.</summary>
    [Fact]
    public void Run_WhenTheInnerLayerIsAdapted_LeavesItsRows()
    {
        using var folder = new TemporaryFolder();
        var peft = PeftModel.Create(Wide(folder.Path), new LoraConfig { TargetModules = ["c_fc"] });
        var padding = Speedups.All.Where(static s => s.Name == "pad-rows").ToArray();

        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [] }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = padding }).Model;

        Assert.Equal(Operators(plain), Operators(rewritten));
    }

    [Fact]
    public void Except_OfAnUnknownName_ListsTheKnownOnes()
    {
        Assert.Equal(Speedups.All.Count - 1, Speedups.Except(["pad-rows"]).Count);

        var error = Assert.ThrowsAny<ArgumentException>(() => Speedups.Except(["pad-columns"]));

        Assert.Contains("'pad-columns'", error.Message, StringComparison.Ordinal);
        Assert.Contains("pad-rows, ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_HaveNamesForTheCommandLine() =>
        Assert.All(Speedups.All, static s => Assert.Matches("^[a-z]+(-[a-z]+)+$", s.Name));

    private static Dictionary<string, Tensor> Scaled(Dictionary<string, Tensor> batch) =>
        new(batch) { [TrainingGraph.Scale] = Tensor.Scalar(1f / 12) };

    private static Dictionary<string, Tensor> Batch
    {
        get
        {
            long[] ids = [3, 1, 4, 1, 5, 9, 2, 6, 0, 0, 0, 5, 3, 5, 8, 9];
            long[] mask = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1];
            long[] labels = [.. ids.Zip(mask, static (id, seen) => seen == 1 ? id : -100)];
            return new()
            {
                ["input_ids"] = Tensor.Of<long>(ids, [2, 8]),
                ["attention_mask"] = Tensor.Of<long>(mask, [2, 8]),
                ["labels"] = Tensor.Of<long>(labels, [2, 8]),
                [TrainingGraph.Scale] = Tensor.Scalar(1f / 12),
            };
        }
    }

    private static Model Family(string model) => model switch
    {
        "gpt2" => Gpt2.Open(Gpt2.Imported),
        "llama" => SmallLlama.Model("llama"),
        _ => LlamaLike.Build(),
    };

    private static IEnumerable<string> Requirements(Speedup speedup) => speedup.Requires.SelectMany(
        static name => Requirements(Speedups.All.Single(s => s.Name == name)).Append(name));

    private static string Operators(Model model) =>
        string.Join(' ', model.Graph.Nodes.Select(static n => n.OpType).Order(StringComparer.Ordinal));

    /// <summary>One layer whose inner rows have 1024 numbers.</summary>
    private static Model Wide(string folder)
    {
        var config = new Gpt2Config { VocabSize = 32, Positions = 16, EmbeddingSize = 256, Layers = 1, Heads = 2 };
        ModelInitializer.Write(config, seed: 1, folder);
        return ModelSource.Open(folder).Model;
    }
}

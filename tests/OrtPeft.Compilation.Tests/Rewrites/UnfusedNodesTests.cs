using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Memory;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels;
using OrtPeft.Models;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Rewrites;

/// <summary>What a step does with all numbers of all rows is done in kernels.</summary>
public sealed class UnfusedNodesTests
{
    private const double Dropout = 0.1;

    private static readonly PartSize Part = new(Rows: 4, Tokens: 8, Labels: 24);

    /// <summary>
    /// Standard operators that pass over [rows, tokens, hidden] in a step of two layers, of LoRA on all linear ones, and
    /// how many there are with dropout. A pass in each layer takes about half a percent of a step of SmolLM2-135M. What is
    /// here happens once in a step, adds gradients of layers that read the same rows, or is a gradient of B where
    /// the layer's rows need none; with dropout, dU·A and its sum.
    /// </summary>
    [Theory]
    [InlineData(
        "gpt2",
        "Add×1 ConstantOfShape×2 Gather×5 Gemm×2 Mul×1 ScatterND×2 Sub×1",
        "Add×8 ConstantOfShape×3 Gather×6 Gemm×9 ScatterND×3")]
    [InlineData(
        "llama",
        "Add×4 ConstantOfShape×2 Gather×4 Gemm×2 Mul×1 ScatterND×2 Sub×1",
        "Add×15 Gemm×13")]
    [InlineData(
        "qwen2",
        "Add×4 ConstantOfShape×2 Gather×4 Gemm×2 Mul×1 ScatterND×2 Sub×1",
        "Add×15 Gemm×13")]
    [InlineData(
        "qwen3",
        "Add×4 ConstantOfShape×2 Gather×4 Gemm×6 Mul×1 ScatterND×2 Sub×1",
        "Add×15 Gemm×17")]
    [InlineData(
        "gemma2",
        "Add×10 ConstantOfShape×2 Div×2 Gather×3 Gemm×6 Mul×6 ScatterElements×1 ScatterND×2 Sub×1 Tanh×1",
        "Add×21 Gemm×17")]
    [InlineData(
        "gemma3",
        "Add×10 ConstantOfShape×2 Gather×4 Gemm×6 Mul×2 ScatterND×2 Sub×1",
        "Add×21 Gemm×17")]
    [InlineData(
        "phi",
        "Add×5 Concat×8 ConstantOfShape×3 Gather×4 Gemm×8 Mul×1 ScatterElements×1 ScatterND×3 Split×8",
        "Add×13 Gemm×16")]
    [InlineData(
        "phi3",
        "Concat×4 ConstantOfShape×3 Gather×5 Gemm×2 Mul×1 ScatterND×3 Split×4 Sub×1",
        "Add×7 Gemm×9")]
    public void Step_OnAllNumbers_RunsKernels(string family, string unfused, string ofDropout)
    {
        var without = Unfused(family, 0);
        var found = (Words(without), Words(Unfused(family, Dropout).Except(without)));

        Assert.True(found == (unfused, ofDropout), $"found: {found}");
    }

    /// <summary>Rows that have no label are not computed after the last attention: masks are those of the others' places.</summary>
    [Theory]
    [InlineData("gpt2")]
    [InlineData("llama")]
    public void Step_WithDropout_IsThatOfStandardOperators(string family)
    {
        var peft = Adapted(family, Dropout);
        var plain = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [] }).Model;
        var rewritten = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).Model;

        long[] dims = [Part.Rows, Part.Tokens];
        long[] ids = [.. Enumerable.Range(0, (int)(Part.Rows * Part.Tokens)).Select(static i => (i * 7L) % 61)];
        var rows = new Dictionary<string, Tensor>
        {
            ["input_ids"] = Tensor.Of<long>(ids, dims),
            ["labels"] = Tensor.Of<long>([.. ids.Select(static (id, i) => i % 4 == 1 ? -100 : id)], dims),
            ["attention_mask"] = Tensor.Of<long>([.. ids.Select(static _ => 1L)], dims),
            ["position_ids"] = Tensor.Of<long>([.. ids.Select(static (_, i) => i % Part.Tokens)], dims),
            [TrainingGraph.Scale] = Tensor.Scalar(1f / Part.Labels),
            [SeededBits.SeedInput] = Tensor.Scalar(7L),
        };
        var fed = plain.Graph.Inputs.Select(static i => i.Name).ToHashSet(StringComparer.Ordinal);
        SameResults.Must(peft, plain, rewritten, rows.Where(r => fed.Contains(r.Key)).ToDictionary());
    }

    private static Dictionary<string, int> Unfused(string family, double dropout)
    {
        var graph = TrainingGraph.Build(
            Adapted(family, dropout), new CausalLm(), new() { Speedups = Speedups.All, Part = Part }).Graph;
        var wide = Part.Labels * HiddenSize(family) * sizeof(float);
        var lengths = GraphLengths.Of(graph, Part);
        return graph.Nodes.Where(static n => n.Domain != FusedOp.Domain && !Costs.IsView(n))
            .Where(n => n.Inputs.Concat(n.Outputs).Any(v => v is { Initializer: null } && GraphMemory.BytesOf(v, lengths) >= wide))
            .CountBy(static n => n.OpType).ToDictionary();
    }

    private static string Words(IEnumerable<KeyValuePair<string, int>> counts) =>
        string.Join(' ', counts.OrderBy(static c => c.Key, StringComparer.Ordinal).Select(static c => $"{c.Key}×{c.Value}"));

    private static PeftModel Adapted(string family, double dropout) => PeftModel.Create(
        ModelSource.Open(Folder(family)).Model,
        new LoraConfig { TargetModules = "all-linear", LoraDropout = dropout, InitLoraWeights = false },
        seed: 3);

    private static long HiddenSize(string family)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder(family), "config.json")));
        return config.RootElement.GetProperty(family == "gpt2" ? "n_embd" : "hidden_size").GetInt64();
    }

    private static string Folder(string family) => Path.Combine(Fixtures.Folder, "families", family);
}

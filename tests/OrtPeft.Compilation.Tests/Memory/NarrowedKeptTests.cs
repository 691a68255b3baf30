using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Memory;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Memory;

public sealed class NarrowedKeptTests
{
    private const string Keeps = "narrow-kept";

    /// <summary>What products in bfloat16 alone may differ by, too (Bf16ProductsTests).</summary>
    private const double Tolerance = 0.02;

    public static TheoryData<string, double> Graphs => GraphsOfForms.At(0, 0.4, 1);

    /// <summary>With as much run again as is said: the loss keeps its bits, gradients move by bfloat16's rounding, and
    /// memory shrinks.</summary>
    [Theory]
    [MemberData(nameof(Graphs))]
    public void Run_OfAnyGraph_MovesGradientsByRoundingAlone(string model, double share)
    {
        var peft = Peft(model);
        var (exact, wide, narrow) = (Build(peft, []), Build(peft, InBf16(Keeps), share), Build(peft, InBf16(), share));

        var (before, after) = (GraphsOfForms.PeakOf(wide.Graph), GraphsOfForms.PeakOf(narrow.Graph));
        // With all of two layers run again, next to nothing is kept.
        Assert.True(share < 1 ? after < before : after <= before, $"{after} bytes, {before} before");
        var (expected, kept, rounded) = (Run(peft, exact), Run(peft, wide), Run(peft, narrow));
        Assert.Equal(kept[TrainingGraph.LossSum].ToFloat32(), rounded[TrainingGraph.LossSum].ToFloat32());
        Assert.InRange(Distance(peft, kept, rounded), share < 1 ? 1e-6 : 0, Tolerance / 2);
        Assert.InRange(Distance(peft, expected, rounded), 0, Tolerance);
    }

    /// <summary>Of what has rows of all tokens, only what attention's scores are made of, whose largest one and whose
    /// exponentials' sum are of float32, zeros to add to, and what the loss has just made.</summary>
    [Fact]
    public void Run_OfLlama_KeepsQueriesAndKeysAlone()
    {
        var graph = Build(Peft("llama", layers: 5), InBf16()).Graph;

        var kept = Kept(graph).Where(static v => v is { Type: ElementType.Float, Shape.Rank: > 1 }
            && v.Shape.Aggregate(1L, static (size, dim) => size * (dim.Value ?? 1)) >= 8);

        string[] readers =
        [
            .. kept.SelectMany(static v => v.Uses).Where(u => GradientPart.Of(graph).Contains(u.Node.Outputs[0]))
                .Select(static u => $"{u.Node.OpType} {u.Index}").Distinct().Order(StringComparer.Ordinal),
        ];
        Assert.Equal(["AttentionInRowsGrad 1", "AttentionInRowsGrad 2", "Mul 0", "ScatterND 0"], readers);
    }

    /// <summary>Whoever reads a value that is rounded reads it from the rounding's node: ONNX Runtime cannot leave that for
    /// later.</summary>
    [Fact]
    public void Run_OfLlama_RoundsBeforeOthersRead()
    {
        var graph = Build(Peft("llama"), InBf16()).Graph;

        var narrowed = graph.Nodes.Where(Narrowed.Narrow.Is).ToArray();

        Assert.NotEmpty(narrowed);
        Assert.All(narrowed, static n => Assert.Single(n.Inputs[0]!.Uses));
        Assert.All(narrowed, static n => Assert.All(n.Outputs[1].Uses, static u => Assert.True(Narrowed.Widen.Is(u.Node))));
    }

    /// <summary>What all of a layer is run again from is rounded, too; queries and keys then have statistics of their own.
    /// </summary>
    [Fact]
    public void Run_OfLlamaThatIsAllRunAgain_RoundsWhereLayersStart()
    {
        var graph = Build(Peft("llama", layers: 5), InBf16(), share: 1).Graph;

        var rounded = graph.Nodes.Where(Narrowed.Narrow.Is).Select(static n => n.Inputs[0]!.Name);

        Assert.All(Enumerable.Range(0, 3), layer => Assert.Contains($"/model/layers.{layer}/Add", rounded));
    }

    [Fact]
    public void Build_InFloat32_KeepsAllOfIt() => Assert.DoesNotContain(
        Build(Peft("llama"), Speedups.All).Graph.Nodes,
        static n => Narrowed.Narrow.Is(n) || Narrowed.Widen.Is(n));

    private static IReadOnlyList<Speedup> InBf16(params string[] without) => Speedups.InBf16(Speedups.Except(without));

    private static PeftModel Peft(string model, int? layers = null) => PeftModel.Create(
        GraphsOfForms.Open(model, layers), new LoraConfig { TargetModules = "all-linear", InitLoraWeights = false }, seed: 3);

    /// <summary>The graph with a share of its layers run again, as a limit would have it.</summary>
    private static Model Build(PeftModel peft, IReadOnlyList<Speedup> speedups, double share = 0)
    {
        var last = new SpeedupRun(speedups);
        var model = TrainingGraph.Build(
            peft, new CausalLm(), new() { Speedups = [.. speedups.Where(static s => !s.IsForBf16)] }).Model;
        if (share > 0)
        {
            Recomputation.Run(
                GraphBuilder.Over(model), place => place < share ? Cost.Product : Cost.Pass);
        }

        last.AfterRecomputation(model);
        model.Graph.SortTopologically();
        return model;
    }

    /// <summary>What the forward pass hands to the gradient.</summary>
    private static Value[] Kept(Graph graph)
    {
        var part = GradientPart.Of(graph);
        return
        [
            .. part.Nodes.SelectMany(static n => n.Inputs).OfType<Value>()
                .Where(v => !part.Contains(v) && v.Producer is not null).Distinct(),
        ];
    }

    private static Dictionary<string, Tensor> Run(PeftModel peft, Model model)
    {
        using var session = ModelSession.Open(model, new RuntimeOptions { Threads = 1 });
        return OnnxRun.Of(session, Feeds.Of(model.Graph, TrainingRows.For(model.Graph), peft.GetWeights()));
    }

    /// <summary>Of all gradients together, as a part of their norm.</summary>
    private static double Distance(
        PeftModel peft, Dictionary<string, Tensor> expected, Dictionary<string, Tensor> actual)
    {
        string[] names = [.. peft.Parameters.Select(static p => TrainingGraph.GradientOf(p.Name))];
        float[] exact = [.. names.SelectMany(name => expected[name].ToFloat32())];
        float[] rounded = [.. names.SelectMany(name => actual[name].ToFloat32())];
        var error = exact.Zip(rounded, static (a, b) => Math.Pow(a - b, 2)).Sum();
        return Math.Sqrt(error / exact.Sum(static v => (double)v * v));
    }
}

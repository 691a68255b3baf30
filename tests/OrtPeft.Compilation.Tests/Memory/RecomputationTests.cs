using OrtPeft.Adapters;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Memory;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels;
using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;

namespace OrtPeft.Compilation.Tests.Memory;

public sealed class RecomputationTests
{
    private const string Passes = "recompute-passes";

    public static TheoryData<string, double> Graphs => GraphsOfForms.At(0, 0.5, 1);

    /// <summary>What is computed twice is the same twice: results keep their bits, and memory shrinks.</summary>
    [Theory]
    [MemberData(nameof(Graphs))]
    public void Run_OfAnyShare_KeepsTheBitsAndTakesLess(string model, double share)
    {
        var peft = PeftModel.Create(GraphsOfForms.Open(model), new LoraConfig { TargetModules = "all-linear" }, seed: 3);
        var speedups = Speedups.Except([Passes]);
        var kept = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = speedups }).Model;
        var again = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = speedups }).Model;

        Recomputation.Run(GraphBuilder.Over(again), place => place < share ? Cost.Product : Cost.Pass);

        again.Opsets[FusedOp.Domain] = 1;
        Assert.Contains(again.Graph.Nodes, After.Forward.Is);
        Assert.True(GraphsOfForms.PeakOf(again.Graph) < GraphsOfForms.PeakOf(kept.Graph), $"{GraphsOfForms.PeakOf(again.Graph)} bytes, {GraphsOfForms.PeakOf(kept.Graph)} before");
        SameBits(peft, kept, again, TrainingRows.For(kept.Graph));
    }

    /// <summary>A second time, on what has been rewritten before.</summary>
    [Fact]
    public void Run_OfGrowingShares_TakesNoMore()
    {
        var peft = PeftModel.Create(GraphsOfForms.Open("llama", layers: 5), new LoraConfig { TargetModules = "all-linear" }, seed: 3);
        var model = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).Model;

        var peaks = ((double[])[0, 0.5, 1]).Select(share =>
        {
            var copy = model.Clone();
            Recomputation.Run(GraphBuilder.Over(copy), place => place < share ? Cost.Product : Cost.Pass);
            return GraphsOfForms.PeakOf(copy.Graph);
        }).ToArray();

        Assert.True(peaks[0] > peaks[1] && peaks[1] >= peaks[2], string.Join(", ", peaks));
    }

    /// <summary>Dropout's masks come from the seed, so that they are the same twice.</summary>
    [Fact]
    public void Run_OnDropout_KeepsTheBits()
    {
        var config = new LoraConfig { TargetModules = "all-linear", LoraDropout = 0.5 };
        var peft = PeftModel.Create(GraphsOfForms.Open("llama"), config, seed: 3);
        var kept = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.Except([Passes]) }).Model;
        var again = kept.Clone();

        Recomputation.Run(GraphBuilder.Over(again), static _ => Cost.Product);

        var rows = TrainingRows.For(kept.Graph);
        rows[SeededBits.SeedInput] = Tensor.Scalar(7L);
        SameBits(peft, kept, again, rows);
    }

    /// <summary>Lengths that a graph reads from its data are nobody's to tell: no estimate, and no limit.</summary>
    [Fact]
    public void Fit_OfAGraphOfUntoldLengths_IsNotDone()
    {
        var model = new Model(21);
        var g = GraphBuilder.Over(model);
        var rows = g.Graph.AddInput("rows", ElementType.Float, [Dim.Named("n"), 8]);
        var chosen = g.Op("Compress", [rows, g.Graph.AddInput("which", ElementType.Bool, [Dim.Named("n")])], NodeAttribute.Of("axis", 0L));
        g.Graph.AddOutput(g.Mul(g.Neg(chosen), chosen));
        var part = new PartSize(2, 3, 6);

        Assert.False(GraphMemory.IsTold(model.Graph, new Dictionary<string, long> { ["n"] = 6 }));
        Assert.Null(MemoryPlan.Fit(model, part, limit: null, canRunAgain: true, static _ => { }));
        var error = Assert.Throws<SettingException>(() => MemoryPlan.Fit(model, part, limit: 1 << 30, canRunAgain: true, static _ => { }));
        Assert.StartsWith("MemoryLimit: ", error.Message, StringComparison.Ordinal);
    }

    /// <summary>What chance makes is another thing the second time.</summary>
    [Fact]
    public void Of_AGraphWithChance_KeepsWhatItMakes()
    {
        var model = new Model(21);
        var g = GraphBuilder.Over(model);
        var scale = g.Graph.AddInput(TrainingGraph.Scale, ElementType.Float, []);
        var x = g.Neg(g.Graph.AddInput("x", ElementType.Float, [8, 8]));
        var noise = g.Op("RandomUniformLike", x);
        var noisy = g.Mul(x, noise);
        g.Graph.AddOutput(g.Mul(g.Mul(g.Mul(x, scale), noisy), noise));

        var values = SecondRuns.Of(GradientPart.Of(g.Graph), static _ => Cost.Product).Values;

        Assert.Equal([noisy], values);
    }

    /// <summary>Where every weight trains, their gradients read other values.</summary>
    [Fact]
    public void Run_WhereAllTrains_KeepsTheBits()
    {
        var peft = PeftModel.Create(GraphsOfForms.Open("gpt2"), new FullConfig(), seed: 3);
        var kept = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.Except([Passes]) }).Model;
        var again = TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = Speedups.All }).Model;

        SameBits(peft, kept, again, TrainingRows.For(kept.Graph));
    }

    private static void SameBits(PeftModel peft, Model kept, Model again, Dictionary<string, Tensor> rows)
    {
        using var before = ModelSession.Open(kept, new RuntimeOptions { Threads = 1 });
        using var after = ModelSession.Open(again, new RuntimeOptions { Threads = 1 });
        var feeds = Feeds.Of(kept.Graph, rows, peft.GetWeights());
        var (expected, actual) = (OnnxRun.Of(before, feeds), OnnxRun.Of(after, feeds));
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (name, values) in expected.Where(static o => o.Value.Type == ElementType.Float))
            Assert.Equal(values.ToFloat32(), actual[name].ToFloat32());
    }
}

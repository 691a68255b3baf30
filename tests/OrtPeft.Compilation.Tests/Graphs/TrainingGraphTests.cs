using OrtPeft.Adapters;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Adapters.Tests;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Tests.Graphs;

public sealed class TrainingGraphTests
{
    private static readonly LoraConfig CAttn = new() { TargetModules = ["c_attn"] };

    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void ForTraining_WhenBuilt_TakesParametersInAndGivesGradientsOut(string name)
    {
        var peft = PeftModel.Create(Gpt2.Open(name), CAttn);

        var graph = TrainingGraph.Build(peft, new CausalLm()).Graph;

        var parameters = peft.Parameters.Select(static p => p.Name).ToArray();
        string[] inputs = ["input_ids", "attention_mask", "position_ids", TrainingGraph.Scale, "labels", .. parameters];
        Assert.Equal(inputs.Order(), graph.Inputs.Select(static i => i.Name).Order());
        Assert.Equal(
            [TrainingGraph.LossSum, TrainingGraph.Count, .. parameters.Select(TrainingGraph.GradientOf)],
            graph.Outputs.Select(static o => o.Name));
    }

    [Fact]
    public void ForTraining_WhenWeightsAreFrozen_SharesThemWithTheBase()
    {
        var model = Gpt2.Open(Gpt2.Imported);
        var peft = PeftModel.Create(model, CAttn);

        var training = TrainingGraph.Build(peft, new CausalLm()).Graph;
        var evaluation = EvaluationGraph.Build(peft, new CausalLm()).Graph;

        var weights = model.Graph.Initializers
            .Where(static v => v.Name.StartsWith("transformer.", StringComparison.Ordinal))
            .ToArray();
        Assert.Equal(28, weights.Length);
        Assert.All(weights, w => Assert.Same(w.Initializer!.Data, training.Find(w.Name)!.Initializer!.Data));
        Assert.All(weights, w => Assert.Same(w.Initializer!.Data, evaluation.Find(w.Name)!.Initializer!.Data));
    }

    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void ForTraining_WhenOnlyTheUpperLayerTrains_DifferentiatesNothingBelow(string name)
    {
        var peft = PeftModel.Create(Gpt2.Open(name), CAttn with { LayersToTransform = [1] });

        var nodes = TrainingGraph.Build(peft, new CausalLm()).Graph.Nodes;

        bool IsDifferentiated(string scope) =>
            nodes.Any(n => n.Name.StartsWith($"/gradient/transformer/{scope}", StringComparison.Ordinal));
        Assert.True(IsDifferentiated("h.1"));
        Assert.False(IsDifferentiated("h.1/ln_1"));
        Assert.False(IsDifferentiated("h.0"));
        Assert.False(IsDifferentiated("w"));
    }

    [Fact]
    public void ForEvaluation_WhenTheAdapterHasDropout_DropsNothing()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), CAttn with { LoraDropout = 0.5 });

        var training = TrainingGraph.Build(peft, new CausalLm()).Graph;
        var ofAdapter = EvaluationGraph.Build(peft, new CausalLm()).Graph;
        var ofModel = EvaluationGraph.Build(peft.Model, new CausalLm()).Graph;

        Assert.Contains(training.Inputs, static i => i.Name == SeededBits.SeedInput);
        Assert.DoesNotContain(training.Nodes, static n => n.Is("Dropout"));
        foreach (var evaluation in new[] { ofAdapter, ofModel })
        {
            Assert.DoesNotContain(evaluation.Inputs, static i => i.Name == SeededBits.SeedInput);
            Assert.DoesNotContain(evaluation.Nodes, static n => n.Is("Dropout") || n.Is("BitShift"));
        }
    }

    [Fact]
    public void ForTraining_WhenBuilt_LeavesTheAdaptedModelAlone()
    {
        var peft = PeftModel.Create(Gpt2.Open(Gpt2.Imported), CAttn with { LoraDropout = 0.5, Bias = "all" });
        var (nodes, inputs) = (peft.Model.Graph.Nodes.Count, peft.Model.Graph.Inputs.Count);

        TrainingGraph.Build(peft, new CausalLm());

        Assert.Equal((nodes, inputs), (peft.Model.Graph.Nodes.Count, peft.Model.Graph.Inputs.Count));
        Assert.All(peft.Parameters, static p => Assert.NotNull(p.Value.Initializer));
    }

    [Theory]
    [MemberData(nameof(Gpt2.Models), MemberType = typeof(Gpt2))]
    public void NodesWithoutGradient_WhenGpt2_AreNone(string name)
    {
        Assert.Empty(GradientGaps.Of(PeftModel.Create(Gpt2.Open(name), new FullConfig())));
    }

    [Fact]
    public void NodesWithoutGradient_WhenAnOpHasNoRule_NamesIt()
    {
        var model = SmallGraphs.Of(static (g, x) =>
            g.Op("Det", g.Unsqueeze(g.Gemm(x, SmallGraphs.Weight(g, "a.weight", 4, 2), transB: true), 1)));

        var peft = PeftModel.Create(model, new LoraConfig { TargetModules = ["a"] });

        var nodes = GradientGaps.Of(peft);

        Assert.Equal("Det", Assert.Single(nodes).OpType);
    }

    [Fact]
    public void ForTraining_WhenTheOutputIsNoLanguageModels_SaysSo()
    {
        var peft = PeftModel.Create(SmallGraphs.Linear(), new LoraConfig { TargetModules = ["linear"] });

        var error = Assert.Throws<GraphException>(() => TrainingGraph.Build(peft, new CausalLm()).Model);

        Assert.Contains("[batch, sequence, vocabulary]", error.Message, StringComparison.Ordinal);
    }
}

using System.Collections.Immutable;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Artifacts;
using OrtPeft.Compilation.Graphs;
using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Graphs of many exporters hold the same weights: they give PyTorch's losses and train alike.</summary>
public sealed class WildGraphTests
{
    /// <summary>Two decoders under one If, with the weights and masks of another graph.</summary>
    private const string MergedDecoder = "hf442_g2l_legacymerged_op13__decoder_model_merged.onnx";

    /// <summary>Other weights or another activation than the golden training run.</summary>
    private static readonly string[] NotOfTheRun =
        ["hf442_g2l_defaultinit", "hf442_g2l_gelu", "nanogpt", "genai", "t113"];

    private static readonly (string Name, string Variant)[] FurtherRuns = [("lora_all_randB", "clip"), ("lora_cattn", "const")];

    public static TheoryData<string> OfTheRun =>
        [.. Fixtures.Graphs.Where(static g => IsOfTheRun(g) && g != MergedDecoder)];

    /// <summary>The run of all layers on every graph, and the others in turn.</summary>
    public static TheoryData<string, string, string> Runs
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var (index, graph) in Fixtures.Graphs.Where(IsOfTheRun).Index())
            {
                var (name, variant) = FurtherRuns[index % FurtherRuns.Length];
                data.Add(graph, "lora_all_randB", "const");
                data.Add(graph, name, variant);
            }

            return data;
        }
    }

    public static TheoryData<string> WithGoldens => [.. GraphGolden.Graphs];

    [Theory]
    [MemberData(nameof(WithGoldens))]
    public void Evaluate_OnAGraphInTheWild_GivesPyTorchsLosses(string graph)
    {
        var golden = GraphGolden.Open(graph);
        var cases = CasesWithoutPast(golden).ToArray();
        using var evaluator = new Evaluator(golden.Load(), Tiny.Arguments.Runtime);

        var losses = cases.Select(name => Loss(evaluator, golden.Inputs(name))).ToArray();

        Assert.NotEmpty(losses);
        foreach (var (name, loss) in cases.Zip(losses))
            Assert.Equal(golden.Loss(name)!.Value, loss, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Train_OnAGraphInTheWild_FollowsHfPeft(string graph, string name, string variant)
    {
        var golden = TrainRun.Open(name);
        var config = AdapterFolder.LoadConfig(golden.AdapterFolder);
        var model = PeftModel.Create(OnnxFile.Load(Fixtures.Graph(graph)), config);
        model.SetWeights(golden.All("init"));

        var losses = Tiny.Run(model, ArgumentsOf(variant)).Select(static s => s.Loss).ToArray();

        SameLosses(golden.Measured(variant, "losses"), losses);
    }

    /// <summary>A graph whose head is a copy of the embedding trains the two apart; otherwise they stay one.</summary>
    [Theory]
    [MemberData(nameof(OfTheRun))]
    public void Train_WhenEverythingTrains_FollowsPyTorchWithTheHeadAsTheGraphHasIt(string graph)
    {
        var initializers = GraphGolden.Open(graph).Initializers.Values;
        var embeddings = initializers.Count(static i => i.Parameter == "transformer.wte.weight");
        var golden = TrainRun.Open(embeddings == 1 ? "full_tied" : "full_untied");
        var model = PeftModel.Create(OnnxFile.Load(Fixtures.Graph(graph)), new FullConfig());

        var losses = Tiny.Run(model, ArgumentsOf("const")).Select(static s => s.Loss).ToArray();

        SameLosses(golden.Measured("const", "losses"), losses);
    }

    [Fact]
    public void ForTraining_WhenIdiomsAreFused_MakesASmallerGraph()
    {
        var unfused = OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op13.onnx"));
        foreach (var part in unfused.Graph.Nodes.Where(static n => n.OpType is "Tanh" or "Div").ToArray())
            unfused.Graph.AddOutput(part.Output);

        var before = NodesOfTraining(unfused);
        var after = NodesOfTraining(OnnxFile.Load(Fixtures.Graph("hf442_g2l_nopast_op13.onnx")));

        Assert.True(after < 0.9 * before, $"{before} nodes without fusion, {after} with it");
    }

    [Fact]
    public void Evaluate_OnAMergedDecoder_GivesTheLossesOfTheGraphThatItHasWithoutAPast()
    {
        var golden = GraphGolden.Open("hf431_g2l_nopast_op13.onnx");
        var cases = CasesWithoutPast(golden).ToArray();
        using var evaluator = new Evaluator(OnnxFile.Load(Fixtures.Graph(MergedDecoder)), Tiny.Arguments.Runtime);

        var losses = cases.Select(name => Loss(evaluator, golden.Inputs(name))).ToArray();

        Assert.NotEmpty(losses);
        foreach (var (name, loss) in cases.Zip(losses))
            Assert.Equal(golden.Loss(name)!.Value, loss, 1e-5);
    }

    private static bool IsOfTheRun(string graph) =>
        !NotOfTheRun.Any(n => graph.StartsWith(n, StringComparison.Ordinal));

    private static int NodesOfTraining(Model model)
    {
        var peft = PeftModel.Create(model, new LoraConfig { R = 4, TargetModules = ["c_attn"] });
        return TrainingGraph.Build(peft, new CausalLm(), new() { Speedups = [] }).Graph.Nodes.Count;
    }

    /// <summary>The golden runs had no dropout, which one graph brings.</summary>
    private static TrainingArguments ArgumentsOf(string variant) => Tiny.Arguments with
    {
        MaxSteps = 20,
        Schedule = variant == "clip" ? "linear" : "constant",
        WarmupSteps = variant == "clip" ? 4 : 0,
        Optimizer = new AdamWConfig { MaxGradNorm = variant == "clip" ? 1 : 0 },
        BaseDropout = false,
    };

    private static void SameLosses(double[] expected, double[] actual)
    {
        Assert.Equal(20, actual.Length);
        foreach (var (step, (wanted, found)) in expected.Zip(actual).Index())
            Assert.True(Math.Abs(wanted - found) <= 1e-4, $"step {step + 1}: {found}, expected {wanted}");
    }

    private static IEnumerable<string> CasesWithoutPast(GraphGolden golden) => golden.Cases.Where(
        c => golden.Loss(c) is not null && golden.Inputs(c)
            .All(static i => !i.Key.StartsWith("past", StringComparison.Ordinal) || i.Value.Count == 0));

    private static double Loss(Evaluator evaluator, Dictionary<string, Tensor> inputs)
    {
        var rows = Rows(inputs);
        return evaluator.Evaluate(new TokenDataset(rows), rows.Length).Loss;
    }

    private static Example[] Rows(Dictionary<string, Tensor> inputs)
    {
        var ids = inputs["input_ids"];
        var (rows, columns) = ((int)ids.Dims[0], (int)ids.Dims[1]);
        return [.. Enumerable.Range(0, rows).Select(row => new Example(
            Row("input_ids", row)!.Value,
            Row("labels", row)!.Value,
            Row("attention_mask", row),
            Row("position_ids", row)))];

        ImmutableArray<int>? Row(string input, int row)
        {
            if (!inputs.TryGetValue(input, out var tensor))
                return null;
            var all = tensor.Type == ElementType.Float
                ? tensor.ToFloat32().Select(static v => (int)v)
                : tensor.ToInt64().Select(static v => (int)v);
            return [.. all.Skip(tensor.Count == columns ? 0 : row * columns).Take(columns)];
        }
    }
}

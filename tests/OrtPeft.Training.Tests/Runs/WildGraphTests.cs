using System.Collections.Immutable;
using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Artifacts;
using OrtPeft.Adapters.Artifacts.Objectives;
using OrtPeft.Adapters.Lora;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Safetensors;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Graphs of many exporters hold the same weights: they give PyTorch's losses and train alike.</summary>
public sealed class WildGraphTests
{
    /// <summary>Two decoders under one If, with the weights and masks of another graph.</summary>
    private const string MergedDecoder = "hf442_g2l_legacymerged";

    /// <summary>Other weights or another activation than the golden training run.</summary>
    private static readonly string[] NotOfTheRun =
    [
        "hf442_g2l_defaultinit", "hf442_g2l_gelu", "nanogpt", "genai", "hf442_g2l_trainmode",
    ];

    public static TheoryData<string> OfTheRun =>
        [.. Fixtures.Graphs.Where(static g => !NotOfTheRun.Any(n => g.StartsWith(n, StringComparison.Ordinal)))];

    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var graph in Fixtures.Graphs.Where(static g => Directory.Exists(GoldenFolder(g))))
                foreach (var name in CasesWithoutPast(graph))
                    data.Add(graph, name);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Evaluate_OnAGraphInTheWild_GivesPyTorchsLoss(string graph, string name)
    {
        var expected = Index(graph).GetProperty("cases").GetProperty(name).GetProperty("loss").GetDouble();
        using var evaluator = new Evaluator(OnnxFile.Load(Fixtures.Graph(graph)), Tiny.Arguments.Runtime);
        var rows = Rows(Data(graph), name);

        var actual = evaluator.Evaluate(new TokenDataset(rows), rows.Length).Loss;

        Assert.Equal(expected, actual, 1e-5);
    }

    [Theory]
    [MemberData(nameof(OfTheRun))]
    public void Train_OnAGraphInTheWild_FollowsHfPeft(string graph)
    {
        var golden = TrainRun.Open("lora_all_randB");
        var config = AdapterFolder.LoadConfig(golden.AdapterFolder);
        var model = PeftModel.Create(OnnxFile.Load(Fixtures.Graph(graph)), config);
        model.SetWeights(golden.All("init"));
        var arguments = Tiny.Arguments with
        {
            MaxSteps = 20,
            Schedule = "constant",
            Optimizer = new AdamWConfig { MaxGradNorm = 0 },
        };

        var losses = Tiny.Run(model, arguments).Select(static s => s.Loss).ToArray();

        foreach (var (step, (wanted, found)) in golden.Measured("const", "losses").Zip(losses).Index())
            Assert.True(Math.Abs(wanted - found) <= 1e-4, $"step {step + 1}: {found}, expected {wanted}");
        Assert.Equal(20, losses.Length);
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

    private static int NodesOfTraining(Model model)
    {
        var peft = PeftModel.Create(model, new LoraConfig { R = 4, TargetModules = ["c_attn"] });
        return TrainingGraph.ForTraining(peft, new CausalLm()).Graph.Nodes.Count;
    }

    private static string GoldenFolder(string graph)
    {
        var isFolder = graph.EndsWith("/model.onnx", StringComparison.Ordinal);
        var name = isFolder ? Path.GetDirectoryName(graph)! : graph[..^".onnx".Length];
        var golden = name.StartsWith(MergedDecoder, StringComparison.Ordinal) ? "hf431_g2l_nopast_op13" : name;
        return Path.Combine(Fixtures.Folder, "golden", golden.Replace("_extdata", "", StringComparison.Ordinal));
    }

    private static JsonElement Index(string graph)
    {
        var text = File.ReadAllText(Path.Combine(GoldenFolder(graph), "index.json"));
        using var json = JsonDocument.Parse(text.Replace("NaN", "null", StringComparison.Ordinal));
        return json.RootElement.Clone();
    }

    private static SafetensorsFile Data(string graph) =>
        SafetensorsFile.Open(Path.Combine(Fixtures.Folder, Index(graph).GetProperty("data").GetString()!));

    private static IEnumerable<string> CasesWithoutPast(string graph)
    {
        var data = Data(graph).Tensors;
        foreach (var found in Index(graph).GetProperty("cases").EnumerateObject())
        {
            var pasts = data.Where(t => t.Key.StartsWith($"{found.Name}/in/past", StringComparison.Ordinal));
            var hasPast = pasts.Any(static t => t.Value.Count > 0);
            var hasLoss = found.Value.TryGetProperty("loss", out var loss) && loss.ValueKind == JsonValueKind.Number;
            if (!hasPast && hasLoss)
                yield return found.Name;
        }
    }

    private static Example[] Rows(SafetensorsFile data, string name)
    {
        var ids = data[$"{name}/in/input_ids"];
        var labels = data[$"{name}/labels"].ToInt64();
        var mask = Optional("attention_mask");
        var positions = Optional("position_ids");
        var (rows, columns) = ((int)ids.Dims[0], (int)ids.Dims[1]);
        var all = ids.ToInt64();
        return [.. Enumerable.Range(0, rows).Select(Example)];

        Example Example(int row) => new(Row(all, row), Row(labels, row), RowOf(mask, row), RowOf(positions, row));

        ImmutableArray<int> Row(long[] values, int row) =>
            [.. values.Skip(row * columns).Take(columns).Select(static v => (int)v)];

        ImmutableArray<int>? RowOf(long[]? values, int row) =>
            values is null ? null : Row(values, values.Length == columns ? 0 : row);

        long[]? Optional(string input)
        {
            if (!data.Tensors.TryGetValue($"{name}/in/{input}", out var tensor))
                return null;
            var isFloat = tensor.Type == ElementType.Float;
            return isFloat ? [.. tensor.ToFloat32().Select(static v => (long)v)] : tensor.ToInt64();
        }
    }
}

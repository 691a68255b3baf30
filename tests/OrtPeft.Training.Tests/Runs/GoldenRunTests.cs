using OrtPeft.Adapters.BitFit;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Full;
using OrtPeft.Adapters.Lora;
using OrtPeft.Artifacts;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Twenty steps as HF PEFT and PyTorch took them in float64.</summary>
public sealed class GoldenRunTests
{
    private const string Imported = "imported";

    /// <summary>loralib's run; HF PEFT has had no such configuration since version 0.3.</summary>
    private static readonly LoraConfig QueriesAndValues = new()
    {
        R = 4,
        LoraAlpha = 8,
        TargetModules = ["c_attn"],
        EnableLora = [true, false, true],
    };

    private static readonly GoldenRow[] Rows =
    [
        new("lora_cattn"),
        new("lora_cattn_randB"),
        new("lora_all"),
        new("lora_all_randB"),
        new("lora_cattn_biaslora"),
        new("rslora_cattn"),
        new("dora_cattn"),
        new("dora_cattn_randB"),
        new("dora_all"),
        new("mslora_qv", QueriesAndValues)
        {
            Graphs = ["mslora_g2l_op13.onnx", "hf442_g2l_idsonly_op15.onnx", "hf442_g2l_past_op17.onnx"],
        },
        new("ia3"),
        new("lntuning"),
        new("bitfit", new BitFitConfig()),
        new("houlsby_gelu", new BottleneckConfig { ReductionFactor = 4, NonLinearity = "gelu" }),
        new("houlsby_relu", new BottleneckConfig { ReductionFactor = 4, NonLinearity = "relu" }),
        new(
            "mlponly_adapter_relu",
            new BottleneckConfig { ReductionFactor = 4, NonLinearity = "relu", MhAdapter = false }),
        new("prompt")
        {
            Graphs = ["hf415_g2l_nopast_op11.onnx", "ortstyle_g2l_past_op11.onnx", "mslora_g2l_op13.onnx"],
        },
        new("ptuning")
        {
            Graphs = ["hf44v_g2l_nopast_op12.onnx", "hf442_g2l_past_op14.onnx", "hf442_g2l_idsonly_op15.onnx"],
        },
        new("prefix")
        {
            Graphs = ["hf442_g2l_nopast_op13.onnx", "ortstyle_g2l_past_op11.onnx", "mslora_g2l_op13.onnx"],
        },
        new("prefix_proj")
        {
            Graphs =
            [
                "hf442_g2l_idsonly_op15.onnx",
                "hf442_g2l_past_op17.onnx",
                "ortopt_extended_hf442_g2l_nopast_op13.onnx",
            ],
        },
        new("full_tied", new FullConfig())
        {
            Variants = ["const"],
            Graphs = ["hf442_g2l_nopast_op13.onnx", "hf442_g2l_nopast_op17.onnx", "hf442_g2l_past_op14.onnx"],
        },
    ];

    public static TheoryData<string, string, string> Runs
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var row in Rows)
            {
                foreach (var variant in row.Variants)
                    data.Add(row.Name, variant, Imported);
                foreach (var graph in row.Graphs)
                    data.Add(row.Name, "const", graph);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Train_WhenHfPeftDidToo_FollowsIt(string name, string variant, string graph)
    {
        var golden = TrainRun.Open(name);
        var baseModel = graph == Imported ? Tiny.Base : OnnxFile.Load(Fixtures.Graph(graph));
        var model = Rows.Single(r => r.Name == name).Open(baseModel);

        var steps = Tiny.Run(model, ArgumentsOf(variant));

        Assert.Equal(20, steps.Count);
        Near(golden.Measured(variant, "losses"), steps.Select(static s => s.Loss), 1e-4);
        Near(golden.Measured(variant, "grad_norms_before_clip"), steps.Select(static s => s.GradNorm), 1e-3);
        Near(golden.Measured(variant, "lrs"), steps.Select(static s => s.LearningRate), 1e-12);
        var weights = model.Parameters
            .SelectMany(static p => p.Aliases.Append(p.Name).Select(name => (name, p.Value.Initializer!)))
            .ToDictionary(static w => w.name, static w => w.Item2);
        foreach (var (key, expected) in golden.All($"final_{variant}_64"))
            Testing.Near.Within(KeyBias.Left(key, expected), KeyBias.Left(key, weights[key]), 1e-3, key);
    }

    [Theory]
    [InlineData("lora_all", "const")]
    [InlineData("lora_cattn", "clip")]
    public void Evaluate_WhenTrained_GivesHfPeftsLoss(string name, string variant)
    {
        var golden = TrainRun.Open(name);
        var model = Rows.Single(r => r.Name == name).Open(Tiny.Base);
        model.SetWeights(golden.All($"final_{variant}_64"));
        var data = new TokenDataset([.. Tiny.RowsOf(0)]);
        using var trainer = new Trainer(model, Tiny.Arguments, Tiny.Data, data);
        using var evaluator = new Evaluator(model, Tiny.Arguments.Runtime);

        var (ofTrainer, ofEvaluator) = (trainer.Evaluate()!.Loss, evaluator.Evaluate(data, batchSize: 2).Loss);

        Assert.Equal(golden.LossAfter(variant), ofTrainer, 1e-5);
        Assert.Equal(golden.LossAfter(variant), ofEvaluator, 1e-5);
    }

    /// <summary>With all that makes training fast: packed weights, and rows that run on their own.</summary>
    private static TrainingArguments ArgumentsOf(string variant) => Tiny.Arguments with
    {
        MicroBatchTokens = 1,
        Runtime = Tiny.Arguments.Runtime with { Prepacking = true },
        MaxSteps = 20,
        Schedule = variant == "clip" ? "linear" : "constant",
        WarmupSteps = variant == "clip" ? 4 : 0,
        Optimizer = new AdamWConfig { MaxGradNorm = variant == "clip" ? 1 : 0 },
    };

    private static void Near(double[] expected, IEnumerable<double> actual, double tolerance)
    {
        foreach (var (step, (wanted, found)) in expected.Zip(actual).Index())
            Assert.True(Math.Abs(wanted - found) <= tolerance, $"step {step + 1}: {found}, expected {wanted}");
    }
}

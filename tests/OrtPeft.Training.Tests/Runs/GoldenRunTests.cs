using OrtPeft.Adapters;
using OrtPeft.Adapters.Artifacts;
using OrtPeft.Adapters.Full;
using OrtPeft.Testing;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Twenty steps as HF PEFT and PyTorch took them in float64.</summary>
public sealed class GoldenRunTests
{
    private static readonly string[] Names =
        ["lora_cattn", "lora_cattn_randB", "lora_all", "lora_all_randB", "lora_cattn_biaslora", "rslora_cattn"];

    public static TheoryData<string, string> Runs
    {
        get
        {
            var data = new TheoryData<string, string> { { "full_tied", "const" } };
            foreach (var name in Names)
            {
                data.Add(name, "const");
                data.Add(name, "clip");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Train_WhenHfPeftDidToo_FollowsIt(string name, string variant)
    {
        var golden = TrainRun.Open(name);
        var model = Adapted(name, golden);

        var steps = Tiny.Run(model, ArgumentsOf(variant));

        Assert.Equal(20, steps.Count);
        Near(golden.Measured(variant, "losses"), steps.Select(static s => s.Loss), 1e-4);
        Near(golden.Measured(variant, "grad_norms_before_clip"), steps.Select(static s => s.GradNorm), 1e-3);
        Near(golden.Measured(variant, "lrs"), steps.Select(static s => s.LearningRate), 1e-12);
        var weights = model.GetWeights();
        foreach (var (key, expected) in golden.All($"final_{variant}_64"))
            Testing.Near.Within(KeyBias.Left(key, expected), KeyBias.Left(key, weights[key]), 1e-3, key);
    }

    [Theory]
    [InlineData("lora_all", "const")]
    [InlineData("lora_cattn", "clip")]
    public void Evaluate_WhenTrained_GivesHfPeftsLoss(string name, string variant)
    {
        var golden = TrainRun.Open(name);
        var model = Adapted(name, golden);
        model.SetWeights(golden.All($"final_{variant}_64"));
        var data = new TokenDataset([.. Tiny.RowsOf(0)]);
        using var trainer = new Trainer(model, Tiny.Arguments, Tiny.Data, data);
        using var evaluator = new Evaluator(model, Tiny.Arguments.Runtime);

        var (ofTrainer, ofEvaluator) = (trainer.Evaluate()!.Loss, evaluator.Evaluate(data, batchSize: 2).Loss);

        Assert.Equal(golden.LossAfter(variant), ofTrainer, 1e-5);
        Assert.Equal(golden.LossAfter(variant), ofEvaluator, 1e-5);
    }

    private static PeftModel Adapted(string name, TrainRun golden)
    {
        if (name == "full_tied")
            return PeftModel.Create(Tiny.Base, new FullConfig());
        var model = PeftModel.Create(Tiny.Base, AdapterFolder.LoadConfig(golden.AdapterFolder));
        model.SetWeights(golden.All("init"));
        return model;
    }

    private static TrainingArguments ArgumentsOf(string variant) => Tiny.Arguments with
    {
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

using OrtPeft.Artifacts;

namespace OrtPeft.Training.Tests.Runs;

public sealed class ArgumentsTests
{
    public static TheoryData<string> Names => [.. Wrong.Keys];

    private static Dictionary<string, TrainingArguments> Wrong => new()
    {
        ["batch size"] = new() { BatchSize = 0 },
        ["gradient accumulation"] = new() { GradientAccumulation = 0 },
        ["number of steps"] = new() { MaxSteps = 0 },
        ["number of epochs"] = new() { Epochs = double.NaN },
        ["warm-up"] = new() { WarmupSteps = -1 },
        ["learning rate"] = new() { LearningRate = double.PositiveInfinity },
        ["weight decay"] = new() { Optimizer = new AdamWConfig { WeightDecay = -1 } },
        ["gradient norm"] = new() { Optimizer = new AdamWConfig { MaxGradNorm = double.NaN } },
        ["beta1"] = new() { Optimizer = new AdamWConfig { Beta1 = 1 } },
        ["beta2"] = new() { Optimizer = new AdamWConfig { Beta2 = -0.1 } },
        ["epsilon"] = new() { Optimizer = new AdamWConfig { Epsilon = -1e-8 } },
        ["output folder"] = new() { Resume = true },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void Trainer_WhenAnArgumentIsOutOfRange_NamesIt(string name)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() =>
        {
            using var trainer = new Trainer(Tiny.Lora(), Wrong[name], Tiny.Data);
        });

        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }
}

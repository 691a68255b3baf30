using OrtPeft.Artifacts;

namespace OrtPeft.Training.Tests.Runs;

public sealed class ArgumentsTests
{
    public static TheoryData<string> Names => [.. Wrong.Keys];

    private static Dictionary<string, TrainingArguments> Wrong => new()
    {
        ["BatchSize is"] = new() { BatchSize = 0 },
        ["GradientAccumulation is"] = new() { GradientAccumulation = 0 },
        ["MaxSteps is"] = new() { MaxSteps = 0 },
        ["Epochs is"] = new() { Epochs = double.NaN },
        ["WarmupSteps is"] = new() { WarmupSteps = -1 },
        ["LearningRate is"] = new() { LearningRate = double.PositiveInfinity },
        ["WeightDecay is"] = new() { Optimizer = new AdamWConfig { WeightDecay = -1 } },
        ["MaxGradNorm is"] = new() { Optimizer = new AdamWConfig { MaxGradNorm = double.NaN } },
        ["Beta1 is"] = new() { Optimizer = new AdamWConfig { Beta1 = 1 } },
        ["Beta2 is"] = new() { Optimizer = new AdamWConfig { Beta2 = -0.1 } },
        ["Epsilon is"] = new() { Optimizer = new AdamWConfig { Epsilon = -1e-8 } },
        ["OutputFolder"] = new() { Resume = true },
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

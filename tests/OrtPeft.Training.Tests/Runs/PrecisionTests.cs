using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Compilation.Memory;
using OrtPeft.Compilation.Rewrites;
using OrtPeft.Kernels;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Data;
using OrtPeft.Training.Runtime;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>Training with products in bfloat16. A processor without them trains in float32, and all of this holds too.
/// </summary>
public sealed class PrecisionTests
{
    private const int Steps = 200, Window = 20;

    private static readonly TrainingArguments Packing = Tiny.Arguments with
    {
        Precision = ProductPrecision.Bf16,
        Runtime = new RuntimeOptions { Threads = 1, Prepacking = true },
    };

    /// <summary>Tasks of different kinds: the next number of a row that counts by a step of its own, the second half of
    /// a row that repeats the first, and the token that was seen two places ago where others come between.</summary>
    private static readonly Dictionary<string, Func<int, int, int>> Tasks = new()
    {
        ["count"] = static (row, place) => (row + (place * (1 + (row % 3)))) % 32,
        ["repeat"] = static (row, place) => ((row * 7) + (place % 6 * (row + 5))) % 32,
        ["recall"] = static (row, place) => place % 2 == 0 ? (row * 5) % 32 : (place * place + row) % 32,
    };

    public static TheoryData<string> TaskNames => [.. Tasks.Keys];

    /// <summary>The largest distance of two curves, averaged over twenty steps, against that of two orders of the same
    /// rows in float32.</summary>
    [Theory]
    [MemberData(nameof(TaskNames))]
    public void Train_InBfloat16_StaysWithinTheSpreadOfSeeds(string task)
    {
        var first = Curve(task, ProductPrecision.Float32, seed: 1);
        var others = new[] { 2, 3 }.Select(seed => Curve(task, ProductPrecision.Float32, seed));

        var inBf16 = Curve(task, ProductPrecision.Bf16, seed: 1);

        Assert.True(first[^1] < 0.9 * first[0], $"nothing is learned: {first[0]} to {first[^1]}");
        Assert.Equal(KernelDomain.ObstacleToBf16 is not null, first.SequenceEqual(inBf16));
        Assert.InRange(Distance(first, inBf16), 0, others.Max(other => Distance(first, other)));
    }

    [Fact]
    public void Train_InBfloat16_IsTheSameWithAnyNumberOfThreads()
    {
        var (alone, shared) = (Tiny.Lora(seed: 3), Tiny.Lora(seed: 3));

        Tiny.Run(alone, Packing);
        Tiny.Run(shared, Packing with { Runtime = Packing.Runtime with { Threads = 3 } });

        Assert.Equal(Tiny.Numbers(alone), Tiny.Numbers(shared));
        Assert.NotEqual(Tiny.Numbers(Tiny.Lora(seed: 3)), Tiny.Numbers(alone));
    }

    /// <summary>What is kept for the gradient is rounded, and predicted so.</summary>
    [Fact]
    public void Trainer_InBfloat16_KeepsLessForTheGradient()
    {
        var whole = PlanOf(Packing with { WithoutSpeedups = ["narrow-kept"] });
        var rounded = PlanOf(Packing);

        Assert.Equal(KernelDomain.ObstacleToBf16 is null, rounded.Activations < whole.Activations);
        Assert.Equal(whole.Weights, rounded.Weights);
    }

    /// <summary>What is run again starts from rounded rows: gradients move by that, the loss of the first step does not.
    /// </summary>
    [Fact]
    public void Train_InBfloat16WithinALimit_StaysNear()
    {
        var (free, limited, again) = (Tiny.Lora(dropout: 0.1), Tiny.Lora(dropout: 0.1), Tiny.Lora(dropout: 0.1));
        var within = Packing with { MemoryLimit = PlanOf(Packing).Total - 1 };

        var expected = Tiny.Run(free, Packing);
        var actual = Tiny.Run(limited, within);
        Tiny.Run(again, within);

        Assert.InRange(PlanOf(within).Again, 0.01, 1);
        Assert.Equal(expected[0].Loss, actual[0].Loss);
        Assert.All(expected.Zip(actual), static s => Assert.Equal(s.First.Loss, s.Second.Loss, 0.01 * s.First.Loss));
        Assert.Equal(Tiny.Numbers(limited), Tiny.Numbers(again));
    }

    [Fact]
    public void Train_WhenResumedInAnotherPrecision_SaysSo()
    {
        if (ProductPrecision.Resolve(ProductPrecision.Auto, Packing.Runtime) == ProductPrecision.Float32)
        {
            Assert.NotNull(KernelDomain.ObstacleToBf16);
            return;
        }

        using var folder = new TemporaryFolder();
        Tiny.Run(Tiny.Lora(), Packing with { OutputFolder = folder.Path, MaxSteps = 2 });

        var error = Assert.Throws<SettingException>(() => Tiny.Run(
            Tiny.Lora(),
            Packing with { OutputFolder = folder.Path, MaxSteps = 2, Resume = true, Precision = ProductPrecision.Float32 }));

        Assert.Contains("with precision = bf16, this run has float32", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_OfAnUnknownPrecision_ListsTheKnownOnes()
    {
        var error = Assert.Throws<SettingException>((Packing with { Precision = "fp8" }).Validate);

        Assert.Equal("There is no precision 'fp8'; choose from float32, bf16, fp16, auto.", error.Message);
    }

    [Theory]
    [InlineData("cpu", false, "weights are not packed")]
    public void WhyNotInBf16_WhereKernelsDoNotMultiply_SaysWhy(string provider, bool packs, string reason)
    {
        var options = new RuntimeOptions { Provider = provider, Prepacking = packs };

        var found = SpeedupChoice.WhyNotInBf16(Tiny.Base, options, Speedups.All, ProductPrecision.Bf16);

        Assert.Contains(provider == "cpu" ? KernelDomain.ObstacleToBf16 ?? reason : reason, found, StringComparison.Ordinal);
        Assert.Null(SpeedupChoice.WhyNotInBf16(Tiny.Base, options, Speedups.All, ProductPrecision.Auto));
    }

    private static double[] Curve(string task, string precision, long seed)
    {
        var config = new LoraConfig { R = 8, LoraAlpha = 16, TargetModules = "all-linear" };
        var rows = Enumerable.Range(0, 12).Select(row =>
        {
            int[] ids = [.. Enumerable.Range(0, 12).Select(place => Tasks[task](row, place))];
            return new Example([.. ids], [.. ids]);
        });
        var arguments = Packing with
        {
            BatchSize = 4,
            MaxSteps = Steps,
            LearningRate = 5e-3,
            Shuffle = true,
            Seed = seed,
            Precision = precision,
        };
        var steps = Tiny.Run(PeftModel.Create(Tiny.Base, config, seed: 7), arguments, new TokenDataset([.. rows]));
        return [.. steps.Select(static s => s.Loss).Chunk(Window).Select(static w => w.Average())];
    }

    private static MemoryPlan PlanOf(TrainingArguments arguments)
    {
        using var trainer = new Trainer(Tiny.Lora(dropout: 0.1), arguments, Tiny.Data);
        return trainer.Memory!;
    }

    private static double Distance(double[] one, double[] other) =>
        one.Zip(other, static (a, b) => Math.Abs(a - b)).Max();
}

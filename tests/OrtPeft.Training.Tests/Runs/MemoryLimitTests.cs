using OrtPeft.Compilation.Memory;
using OrtPeft.Tensors;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Tests.Runs;

/// <summary>What runs twice rather than being kept changes memory, and nothing else.</summary>
public sealed class MemoryLimitTests
{
    private static readonly TrainingArguments Arguments =
        Tiny.Arguments with { Runtime = Tiny.Arguments.Runtime with { Prepacking = null } };

    [Fact]
    public void Train_WithinALimit_GivesTheSameBits()
    {
        var (free, limited) = (Tiny.Lora(dropout: 0.1), Tiny.Lora(dropout: 0.1));
        var plan = PlanOf(Arguments);

        var within = Arguments with { MemoryLimit = plan.Total - 1 };
        var expected = Tiny.Run(free, Arguments);
        var actual = Tiny.Run(limited, within);

        Assert.Equal(0, plan.Again);
        Assert.InRange(PlanOf(within).Again, 0.01, 1);
        Assert.True(PlanOf(within).Activations < plan.Activations);
        Assert.Equal(expected.Select(static s => s.Loss), actual.Select(static s => s.Loss));
        Assert.Equal(Tiny.Numbers(free), Tiny.Numbers(limited));
    }

    [Fact]
    public void Trainer_WithinLessThanTheLeast_IsRefused()
    {
        var error = Assert.Throws<SettingException>(() => PlanOf(Arguments with { MemoryLimit = 1_000_000 }));

        Assert.Contains("at least", error.Message, StringComparison.Ordinal);
        Assert.Contains("1 MB", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Longer rows take more, and so does a batch that runs whole.</summary>
    [Fact]
    public void Memory_OfTheLargestPart_GrowsWithIt()
    {
        var whole = PlanOf(Arguments with { MicroBatchTokens = 0 });
        var parts = PlanOf(Arguments with { MicroBatchTokens = 1 });

        Assert.Equal(whole.Weights, parts.Weights);
        Assert.True(whole.Activations > parts.Activations, $"{whole.Activations}, {parts.Activations}");
    }

    /// <summary>A pack is one row of a batch, and all of its rows run.</summary>
    [Fact]
    public void Memory_OfPacks_CountsTheirRows()
    {
        var one = PlanOf(Arguments with { MicroBatchTokens = 0, BatchSize = 1 });
        var packed = PlanOf(Arguments with { MicroBatchTokens = 0, BatchSize = 1, PackLength = 1000 });
        var all = PlanOf(Arguments with { MicroBatchTokens = 0, BatchSize = Tiny.Data.RowCount });

        Assert.True(packed.Activations > one.Activations, $"{packed.Activations}, {one.Activations}");
        Assert.Equal(all.Activations, packed.Activations);
    }

    [Fact]
    public void Largest_OfRows_IsWhatNoPartExceeds()
    {
        for (var tokens = 0; tokens < 64; tokens++)
        {
            var most = MicroBatches.Largest(Tiny.Data, 5, tokens);
            var parts = Enumerable.Range(0, 2).SelectMany(batch => MicroBatches.Split(
                [.. Enumerable.Range(5 * batch, 5)], Tiny.Data.LengthOf, Tiny.Data.SupervisedTokensOf, tokens));
            Assert.All(parts, part =>
            {
                Assert.InRange(part.Max(Tiny.Data.LengthOf), 1, most.Tokens);
                Assert.InRange(part.Length * part.Max(Tiny.Data.LengthOf), 1, most.Rows * most.Tokens);
                Assert.InRange(part.Sum(Tiny.Data.SupervisedTokensOf), 0, most.Labels);
            });
        }
    }

    private static MemoryPlan PlanOf(TrainingArguments arguments)
    {
        using var trainer = new Trainer(Tiny.Lora(dropout: 0.1), arguments, Tiny.Data);
        return trainer.Memory!;
    }
}

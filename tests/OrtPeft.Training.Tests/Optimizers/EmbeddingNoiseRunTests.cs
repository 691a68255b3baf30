using OrtPeft.Artifacts;
using OrtPeft.Tensors;
using OrtPeft.Testing;
using OrtPeft.Training.Tests.Runs;

namespace OrtPeft.Training.Tests.Optimizers;

/// <summary>Runs with NEFTune's noise.</summary>
public sealed class EmbeddingNoiseRunTests
{
    [Fact]
    public void Train_WithNoise_LearnsOtherwise_AndResumesToTheSameBits()
    {
        using var folder = new TemporaryFolder();
        var arguments = Tiny.Arguments with { NeftuneNoiseAlpha = 5, MaxSteps = 4, OutputFolder = folder["run"] };
        var (clean, whole, parts, resumed) = (Tiny.Lora(), Tiny.Lora(), Tiny.Lora(), Tiny.Lora());

        Tiny.Run(clean, arguments with { OutputFolder = null, NeftuneNoiseAlpha = null });
        Tiny.Run(whole, arguments with { OutputFolder = null });
        using (var stop = new CancellationTokenSource())
        {
            using var first = new Trainer(parts, arguments, Tiny.Data);
            first.Train(new Tiny.Observer(p => { if (p.Step == 2) stop.Cancel(); }), stop.Token);
        }

        Tiny.Run(resumed, arguments with { Resume = true });

        Assert.NotEqual(Tiny.Numbers(clean), Tiny.Numbers(whole));
        Assert.Equal(Tiny.Numbers(whole), Tiny.Numbers(resumed));
        var error = Assert.ThrowsAny<ArgumentException>(
            () => Tiny.Run(Tiny.Lora(), arguments with { NeftuneNoiseAlpha = 1, Resume = true }));
        Assert.Contains("neftune-noise-alpha", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void Train_WithNoiseOfNoSize_IsRefused(double alpha)
    {
        var error = Assert.Throws<SettingException>(
            () => Tiny.Run(Tiny.Lora(), Tiny.Arguments with { NeftuneNoiseAlpha = alpha }));

        Assert.Contains("NeftuneNoiseAlpha", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_ScheduleFreeWithAFallingRate_IsRefused()
    {
        var error = Assert.Throws<SettingException>(() => Tiny.Run(
            Tiny.Lora(), Tiny.Arguments with { Optimizer = new ScheduleFreeAdamWConfig(), Schedule = "cosine" }));

        Assert.Contains("it must be constant", error.Message, StringComparison.Ordinal);
    }
}

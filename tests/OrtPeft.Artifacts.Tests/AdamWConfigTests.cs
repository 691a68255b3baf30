namespace OrtPeft.Artifacts.Tests;

public sealed class AdamWConfigTests
{
    /// <summary>PyTorch's constants, and the command line's weight decay and clipping.</summary>
    [Fact]
    public void Defaults_Are_PyTorchs()
    {
        var config = new AdamWConfig();

        Assert.Equal((0.9, 0.999, 1e-8), (config.Beta1, config.Beta2, config.Epsilon));
        Assert.Equal((0.01, 1.0), (config.WeightDecay, config.MaxGradNorm));
    }
}

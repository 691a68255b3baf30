using OrtPeft.Adapters;
using OrtPeft.Adapters.PromptTuning;
using OrtPeft.Inference.Generation;
using OrtPeft.Runtime.Sessions;

namespace OrtPeft.Training.Tests.Verdicts;

/// <summary>Caches whose slots are written in place.</summary>
public sealed class StaticCacheTests
{
    private static readonly RuntimeOptions OneThread = new() { Threads = 1 };

    /// <summary>The cache is carried from step to step; without one the whole sequence is run again.</summary>
    [Fact]
    public void Generate_GivesTheTokensOfTheModelWithoutACache()
    {
        using var plain = Generator.Open(new TinyDecoder().Build(), OneThread);
        using var cached = Generator.Open(new TinyDecoder { Cache = 12, Mask = "none" }.Build(), OneThread);
        var options = new GenerationOptions { MaxNewTokens = 6, ContextLength = 12 };

        var expected = plain.Generate([1, 5, 3], options).ToArray();

        Assert.Equal(expected, cached.Generate([1, 5, 3], options));
        Assert.True(cached.HasCache);
    }

    [Fact]
    public void Create_OfVirtualTokens_IsRefused()
    {
        var model = new TinyDecoder { Cache = 12, Mask = "none" }.Build();

        var error = Assert.Throws<ConfigException>(
            () => PeftModel.Create(model, new PromptTuningConfig { NumVirtualTokens = 2 }));

        Assert.Contains("static cache", error.Message, StringComparison.Ordinal);
    }
}

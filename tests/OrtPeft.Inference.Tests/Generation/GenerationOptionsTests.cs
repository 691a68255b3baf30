using OrtPeft.Inference.Generation;

namespace OrtPeft.Inference.Tests.Generation;

public sealed class GenerationOptionsTests
{
    public static TheoryData<GenerationOptions, string> Wrong => new()
    {
        { new() { MaxNewTokens = 0 }, "MaxNewTokens is 0; it must be 1 or more." },
        { new() { Temperature = -0.5 }, "Temperature is -0.5; it must be 0 or more." },
        { new() { Temperature = double.NaN }, "Temperature is NaN" },
        { new() { Temperature = double.PositiveInfinity }, "Temperature is Infinity" },
        { new() { TopK = -1 }, "TopK is -1; it must be 0 (no limit) or more." },
        { new() { TopP = 1.01 }, "TopP is 1.01; it must be between 0 and 1." },
        { new() { TopP = double.NaN }, "TopP is NaN" },
        { new() { EosTokenId = -2 }, "EosTokenId is -2" },
        { new() { VocabularySize = 0 }, "VocabularySize is 0" },
        { new() { ContextLength = 0 }, "ContextLength is 0" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Validate_WhenAMemberLeavesItsRange_NamesValueAndRange(GenerationOptions options, string message)
    {
        var error = Assert.ThrowsAny<ArgumentException>(options.Validate);

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void IsGreedy_UnlessSamplingIsAskedFor()
    {
        Assert.True(new GenerationOptions().IsGreedy);
        Assert.True(new GenerationOptions { Temperature = 0, TopP = 0.9 }.IsGreedy);
        Assert.False(new GenerationOptions { Temperature = 1 }.IsGreedy);
        Assert.False(new GenerationOptions { TopK = 0 }.IsGreedy);
        Assert.False(new GenerationOptions { TopP = 1 }.IsGreedy);
    }
}

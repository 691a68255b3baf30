using OrtPeft.Inference.Generation;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Testing;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>Whatever a decoder takes its tokens and masks as, it goes on alike.</summary>
public sealed class InputKindsTests
{
    private static readonly RuntimeOptions OneThread = new() { Threads = 1 };

    public static TheoryData<string> Kinds => [.. InputKinds.All];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Generate_BehindInputsOfAKind_GivesTheSameTokens(string kind)
    {
        var options = new GenerationOptions { MaxNewTokens = 10, ContextLength = 16 };
        using var usual = Generator.Open(InputKinds.Usual, OneThread);
        using var other = Generator.Open(InputKinds.Of(kind), OneThread);

        var tokens = other.Generate([17, 3, 88], options).ToArray();

        Assert.Equal(usual.Generate([17, 3, 88], options), tokens);
        Assert.Equal(10, tokens.Length);
    }
}

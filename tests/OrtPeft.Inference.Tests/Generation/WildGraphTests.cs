using OrtPeft.Inference.Generation;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Testing;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>Graphs of many exporters generate the same tokens, with or without a cache of any form.</summary>
public sealed class WildGraphTests
{
    private const string Static = "hf442_g2l_static3x11_op13.onnx";
    private const string Reference = "hf442_g2l_nopast_op13.onnx";

    private static readonly RuntimeOptions OneThread = new() { Threads = 1 };

    /// <summary>Of other weights or another activation than most: they are compared with themselves only.</summary>
    private static readonly string[] OfTheirOwn =
        ["hf442_g2l_defaultinit", "hf442_g2l_gelu", "nanogpt", "genai", "hf442_g2l_static", "t113"];

    public static TheoryData<string> Alike =>
        [.. Fixtures.Graphs.Where(static g => !OfTheirOwn.Any(n => g.StartsWith(n, StringComparison.Ordinal)))];

    [Theory]
    [MemberData(nameof(Alike))]
    public void Generate_OnAGraphInTheWild_GivesTheTokensOfEveryOther(string graph)
    {
        var model = OnnxFile.Load(Fixtures.Graph(graph));
        Onnx.Passes.DropoutLowering.ForEvaluation(model);
        using var wild = Generator.Open(model, OneThread);
        using var reference = Generator.Open(OnnxFile.Load(Fixtures.Graph(Reference)), OneThread);

        var tokens = wild.Generate([17, 3, 88], new GenerationOptions { MaxNewTokens = 24 }).ToArray();

        var expected = reference.Generate([17, 3, 88], new GenerationOptions { MaxNewTokens = 24 });
        Assert.Equal(expected, tokens);
        Assert.Equal(24, tokens.Length);
    }

    [Theory]
    [InlineData("nanogpt_g2l_op13.onnx", "hf442_g2l_gelu_nopast_op16.onnx")]
    [InlineData("hf442_g2l_gelu_nopast_op16.onnx", "nanogpt_g2l_op13.onnx")]
    public void Generate_WithExactGelu_GivesTheSameTokensFromBothExporters(string graph, string other)
    {
        using var one = Generator.Open(OnnxFile.Load(Fixtures.Graph(graph)), OneThread);
        using var two = Generator.Open(OnnxFile.Load(Fixtures.Graph(other)), OneThread);

        var tokens = one.Generate([1, 2, 3], new GenerationOptions { MaxNewTokens = 24 }).ToArray();

        Assert.Equal(two.Generate([1, 2, 3], new GenerationOptions { MaxNewTokens = 24 }), tokens);
        Assert.Equal(24, tokens.Length);
    }

    [Fact]
    public void Generate_WhenExportedWithAFixedLength_GivesTheTokensUpToIt()
    {
        var options = new GenerationOptions { MaxNewTokens = 24, ContextLength = 11 };
        using var windowed = Generator.Open(OnnxFile.Load(Fixtures.Graph(Static)), OneThread);
        using var reference = Generator.Open(OnnxFile.Load(Fixtures.Graph(Reference)), OneThread);

        var tokens = windowed.Generate([17, 3, 88], new GenerationOptions { MaxNewTokens = 24 }).ToArray();

        Assert.Equal(reference.Generate([17, 3, 88], options), tokens);
        Assert.Equal(9, tokens.Length);
    }
}

using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Testing;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>HF PEFT's adapters on what ONNX Runtime GenAI's builder made of the same models.</summary>
public sealed class GenAiBuildsTests
{
    private static readonly string Folder = Path.Combine(Fixtures.Folder, "genai");

    [Theory]
    [InlineData("llama", "fp32", "lora")]
    [InlineData("llama", "fp32", "patterns")]
    [InlineData("llama", "int4", "lora")]
    [InlineData("llama", "int4", "patterns")]
    [InlineData("qwen2", "fp32", "lora")]
    [InlineData("qwen2", "int4", "patterns")]
    public void Generate_WithHfPeftsAdapter_GivesPeftsTokens(string family, string build, string adapter)
    {
        var source = Path.Combine(Folder, $"{family}-{build}");
        var peft = PeftModel.Load(
            OnnxFile.Load(Path.Combine(source, "model.onnx")),
            Path.Combine(Folder, adapter == "lora" ? $"{family}-adapter-peft" : $"{family}-adapter-peft-patterns"));
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(source, "expected.json")));
        using var generator = Generator.Open(peft.ForInference(), new RuntimeOptions { Threads = 1 });

        var tokens = generator.Generate(
            Numbers(expected.RootElement.GetProperty("ids"))[..6], new GenerationOptions { MaxNewTokens = 10 }).ToArray();

        Assert.Equal(Numbers(expected.RootElement.GetProperty(adapter).GetProperty("greedy")), tokens);
    }

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetInt32())];
}

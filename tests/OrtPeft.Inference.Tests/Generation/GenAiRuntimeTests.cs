using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Merging;
using OrtPeft.Inference.Generation;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Testing;
using GenAi = Microsoft.ML.OnnxRuntimeGenAI;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>Folders of ONNX Runtime GenAI's builder, merged, in GenAI's own runtime.</summary>
public sealed class GenAiRuntimeTests
{
    private const int NewTokens = 10;

    private static readonly string Source = Path.Combine(Fixtures.Folder, "genai");

    [Theory]
    [InlineData("llama", "fp32", MergeForm.Float)]
    [InlineData("qwen2", "fp32", MergeForm.Float)]
    [InlineData("llama", "fp32", MergeForm.Branches)]
    [InlineData("qwen2", "fp32", MergeForm.Branches)]
    [InlineData("llama", "int4", MergeForm.Float)]
    [InlineData("qwen2", "int4", MergeForm.Float)]
    [InlineData("llama", "int4", MergeForm.Branches)]
    [InlineData("qwen2", "int4", MergeForm.Branches)]
    public void GenAi_WithAMergedFolder_GivesPeftsTokens(string family, string build, MergeForm form)
    {
        using var folder = new TemporaryFolder();
        var merged = Adapted(family, build).MergeAs(form).Model;
        foreach (var node in merged.Graph.Nodes.Where(static n => n.OpType == "MatMulNBits"))
            node.Attributes.Set(NodeAttribute.Of("accuracy_level", 1L)); // PEFT does not round activations
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(Source, $"{family}-{build}", "expected.json")));
        Write(merged, family, build, folder.Path);

        var tokens = Generated(folder.Path, Numbers(expected.RootElement.GetProperty("ids"))[..6]);

        Assert.Equal(Numbers(expected.RootElement.GetProperty("patterns").GetProperty("greedy")), tokens);
    }

    /// <summary>The merged folder takes the room that the base's takes and runs its operators, so it is as fast; its tokens
    /// are those of the same graph in OrtPeft.</summary>
    [Theory]
    [InlineData("llama", "fp32", MergeForm.Float)]
    [InlineData("llama", "int4", MergeForm.Requantized)]
    [InlineData("qwen2", "int4", MergeForm.Requantized)]
    public void GenAi_WithAMergedFolder_RunsTheBasesOperators(string family, string build, MergeForm form)
    {
        using var folder = new TemporaryFolder();
        var merged = Adapted(family, build).MergeAs(form).Model;
        int[] prompt = [5, 17, 3, 99, 42];
        Write(merged, family, build, folder.Path);

        var tokens = Generated(folder.Path, prompt);

        using var generator = Generator.Open(merged, new RuntimeOptions { Threads = 1 });
        Assert.Equal(
            generator.Generate(prompt, new GenerationOptions { MaxNewTokens = NewTokens }).ToArray(), tokens);
        var original = OnnxFile.Load(Path.Combine(Source, $"{family}-{build}", "model.onnx"));
        Assert.Equal(Operators(original), Operators(merged));
        Assert.Equal(WeightBytes(original), WeightBytes(merged));
    }

    private static PeftModel Adapted(string family, string build) => PeftModel.Load(
        OnnxFile.Load(Path.Combine(Source, $"{family}-{build}", "model.onnx")),
        Path.Combine(Source, $"{family}-adapter-peft-patterns"));

    private static void Write(Model merged, string family, string build, string folder)
    {
        OnnxFile.Save(merged, Path.Combine(folder, "model.onnx"), new OnnxSaveOptions { ExternalData = true });
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Source, $"{family}-{build}")))
        {
            if (!Path.GetFileName(file).StartsWith("model.onnx", StringComparison.Ordinal))
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
    }

    private static int[] Generated(string folder, int[] prompt)
    {
        using var model = new GenAi.Model(folder);
        using var settings = new GenAi.GeneratorParams(model);
        settings.SetSearchOption("max_length", prompt.Length + NewTokens);
        settings.SetSearchOption("do_sample", false);
        using var generator = new GenAi.Generator(model, settings);
        generator.AppendTokens(prompt);
        while (!generator.IsDone())
            generator.GenerateNextToken();
        return generator.GetSequence(0)[prompt.Length..].ToArray();
    }

    private static IEnumerable<string> Operators(Model model) => model.Graph.Nodes.Select(static n => n.OpType);

    private static long WeightBytes(Model model) =>
        model.Graph.Initializers.Sum(static v => v.Initializer!.Data.Length);

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetInt32())];
}

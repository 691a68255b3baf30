using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Exports;
using OrtPeft.Artifacts.OrtFormats;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;
using GenAi = Microsoft.ML.OnnxRuntimeGenAI;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>Adapter files beside graphs of ONNX Runtime GenAI's builder, in GenAI's own runtime.</summary>
public sealed class AdapterFileGenAiTests
{
    private const int NewTokens = 10;

    private static readonly string Source = Path.Combine(Fixtures.Folder, "genai");

    [Theory]
    [InlineData("llama", "fp32")]
    [InlineData("qwen2", "fp32")]
    [InlineData("llama", "int4")]
    [InlineData("qwen2", "int4")]
    public void GenAi_SwitchesBetweenAdapters_AndGivesPeftsTokens(string family, string build)
    {
        using var folder = new TemporaryFolder();
        var source = Path.Combine(Source, $"{family}-{build}");
        var peft = PeftModel.Load(
            OnnxFile.Load(Path.Combine(source, "model.onnx")), Path.Combine(Source, $"{family}-adapter-peft"), "lora");
        peft.Adapters.Load("patterns", Path.Combine(Source, $"{family}-adapter-peft-patterns"));
        var inputs = LoraInputs.Of(peft);
        foreach (var node in inputs.Model.Graph.Nodes.Where(static n => n.OpType == "MatMulNBits"))
            node.Attributes.Set(NodeAttribute.Of("accuracy_level", 1L)); // PEFT does not round activations
        OnnxFile.Save(inputs.Model, folder["model.onnx"], new OnnxSaveOptions { ExternalData = true });
        foreach (var file in Directory.EnumerateFiles(source).Where(static f => !Path.GetFileName(f).StartsWith("model.onnx", StringComparison.Ordinal)))
            File.Copy(file, folder[Path.GetFileName(file)]);
        foreach (var name in peft.Adapters.Names)
            new OrtAdapterFile { Parameters = inputs.TensorsOf(name) }.Save(folder[$"{name}.onnx_adapter"]);
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(source, "expected.json")));
        var prompt = Numbers(expected.RootElement.GetProperty("ids"))[..6];
        using var model = new GenAi.Model(folder.Path);
        using var adapters = new GenAi.Adapters(model);
        foreach (var name in peft.Adapters.Names)
            adapters.LoadAdapter(folder[$"{name}.onnx_adapter"], name);

        var before = Generated(model, prompt, null, "");
        var lora = Generated(model, prompt, adapters, "lora");
        var patterns = Generated(model, prompt, adapters, "patterns");
        var after = Generated(model, prompt, null, "");

        Assert.Equal(Greedy(expected, "lora"), lora);
        Assert.Equal(Greedy(expected, "patterns"), patterns);
        Assert.Equal(before, after);
        Assert.NotEqual(before, lora);
    }

    private static int[] Generated(GenAi.Model model, int[] prompt, GenAi.Adapters? adapters, string name)
    {
        using var settings = new GenAi.GeneratorParams(model);
        settings.SetSearchOption("max_length", prompt.Length + NewTokens);
        settings.SetSearchOption("do_sample", false);
        using var generator = new GenAi.Generator(model, settings);
        if (adapters is not null)
            generator.SetActiveAdapter(adapters, name);
        generator.AppendTokens(prompt);
        while (!generator.IsDone())
            generator.GenerateNextToken();
        return generator.GetSequence(0)[prompt.Length..].ToArray();
    }

    private static int[] Greedy(JsonDocument expected, string adapter) =>
        Numbers(expected.RootElement.GetProperty(adapter).GetProperty("greedy"));

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetInt32())];
}

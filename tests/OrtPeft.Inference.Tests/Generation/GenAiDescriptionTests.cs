using System.Text.Json;
using OrtPeft.Adapters;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Models.Exports;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Runtime.Sessions;
using OrtPeft.Testing;
using OrtPeft.Tokenizers;
using GenAi = Microsoft.ML.OnnxRuntimeGenAI;

namespace OrtPeft.Inference.Tests.Generation;

/// <summary>Imports of HF folders, adapters merged, in GenAI's own runtime by the description that is written for
/// them.</summary>
public sealed class GenAiDescriptionTests
{
    private static readonly string Source = Path.Combine(Fixtures.Folder, "genai");

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    public void GenAi_WithAMergedImport_GivesPeftsTokens(string family)
    {
        using var folder = new TemporaryFolder();
        var source = ModelSource.Open(Path.Combine(Source, $"{family}-hf"));
        var merged = PeftModel.Load(source.Model, Path.Combine(Source, $"{family}-adapter-peft-patterns")).Merge();
        OnnxFile.Save(merged, folder["model.onnx"], new OnnxSaveOptions { ExternalData = true });
        File.WriteAllText(folder["genai_config.json"], GenAiDescription.Of(source, merged, endOfTextByTokenizer: null));
        using var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(Source, $"{family}-fp32", "expected.json")));

        var tokens = Generated(folder.Path, Numbers(expected.RootElement.GetProperty("ids"))[..6]);

        Assert.Equal(Numbers(expected.RootElement.GetProperty("patterns").GetProperty("greedy")), tokens);
    }

    /// <summary>GPT-2's keys and values stand apart here, which GenAI's type gpt2 does not take.</summary>
    [Fact]
    public void GenAi_WithGpt2_GivesOrtPeftsTokens()
    {
        using var folder = new TemporaryFolder();
        var source = ModelSource.Open(Path.Combine(Fixtures.Folder, "base/g2l"));
        OnnxFile.Save(source.Model, folder["model.onnx"]);
        File.WriteAllText(folder["genai_config.json"], GenAiDescription.Of(source, source.Model, endOfTextByTokenizer: 0));
        int[] prompt = [5, 17, 3, 9];

        var tokens = Generated(folder.Path, prompt);

        using var generator = Generator.Open(source.Model, new RuntimeOptions { Threads = 1 });
        Assert.Equal(
            generator.Generate(prompt, new GenerationOptions { MaxNewTokens = 10 }).Take(tokens.Length), tokens);
    }

    /// <summary>Text through GenAI's tokenizer and chat template are OrtPeft's.</summary>
    [Fact]
    public void GenAi_WithTheTokenizersFiles_ReadsTextAsOrtPeft()
    {
        using var folder = new TemporaryFolder();
        var source = ModelSource.Open(Path.Combine(Source, "llama-hf"));
        OnnxFile.Save(source.Model, folder["model.onnx"]);
        File.WriteAllText(folder["genai_config.json"], GenAiDescription.Of(source, source.Model, endOfTextByTokenizer: 333));
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
            File.Copy(Path.Combine(Source, "llama-fp32", name), folder[name]);
        using var model = new GenAi.Model(folder.Path);
        using var tokenizer = new GenAi.Tokenizer(model);

        using var encoded = tokenizer.Encode("the cat sat");
        var chat = tokenizer.ApplyChatTemplate(null, """[{"role":"user","content":"hi"}]""", null, true);

        var own = TokenizerFolder.Load(Path.Combine(Source, "llama-fp32"));
        Assert.Equal(own.Encode("the cat sat"), encoded[0].ToArray());
        Assert.Equal("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n", chat);
    }

    private static int[] Generated(string folder, int[] prompt)
    {
        using var model = new GenAi.Model(folder);
        using var settings = new GenAi.GeneratorParams(model);
        settings.SetSearchOption("max_length", prompt.Length + 10);
        using var generator = new GenAi.Generator(model, settings);
        generator.AppendTokens(prompt);
        while (!generator.IsDone())
            generator.GenerateNextToken();
        return generator.GetSequence(0)[prompt.Length..].ToArray();
    }

    private static int[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetInt32())];
}

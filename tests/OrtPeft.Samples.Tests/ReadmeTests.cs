using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using OrtPeft.Adapters;
using OrtPeft.Adapters.Lora;
using OrtPeft.Models;

namespace OrtPeft.Samples.Tests;

public sealed partial class ReadmeTests
{
    [Theory]
    [InlineData("short", "ShortSample.cs", "README.md")]
    [InlineData("linear", "LinearSample.cs", "docs/guide/csharp.md")]
    [InlineData("gpt2", "Gpt2Sample.cs", "docs/guide/csharp.md")]
    [InlineData("several", "SeveralSample.cs", "docs/guide/csharp.md")]
    [InlineData("artifacts", "ArtifactsSample.cs", "docs/guide/csharp.md")]
    public void CodeSample_IsTheCodeThatTestsRun(string name, string file, string page)
    {
        var source = File.ReadAllText(Path.Combine(Folder(), file));
        var text = File.ReadAllText(Path.Combine(Folder(), "../..", page));

        var body = Sample().Match(source[source.IndexOf($"// sample: {name}\n", StringComparison.Ordinal)..]).Groups[1].Value;
        var dedented = string.Join('\n', body.Split('\n').Select(static line => line.Length >= 8 ? line[8..] : line.Trim()));

        Assert.Contains($"```csharp\n{dedented.Trim()}\n```", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Guide_TableOfMethods_IsTheCatalogue()
    {
        var rows = PeftMethods.All.Select(static m => Row(m.Description));

        var page = File.ReadAllText(Path.Combine(Folder(), "../../docs/guide/methods.md"));

        Assert.Contains(
            "| method | `--method` | trains | HF PEFT file | merges |\n|---|---|---|---|---|\n" + string.Concat(rows) + "\n",
            page,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ShortSample_Trains_AndGenerates()
    {
        var folder = Directory.CreateTempSubdirectory("ortpeft").FullName;
        var (rows, adapter) = (Path.Combine(folder, "rows.jsonl"), Path.Combine(folder, "adapter"));
        File.WriteAllText(rows, """{"prompt":"a","completion":" b"}""");

        var text = ShortSample.Run(Path.Combine(Folder(), "../../models/tiny-gpt2-apidocs"), rows, adapter);

        Assert.NotEqual("", text);
        Assert.True(File.Exists(Path.Combine(adapter, "adapter_model.safetensors")));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void LinearSample_Trains_AndSavesWhatHfPeftReads()
    {
        var folder = Directory.CreateTempSubdirectory("ortpeft").FullName;

        var (result, model) = LinearSample.Run(folder);

        Assert.True(result.IsComplete);
        Assert.Equal(6, model.TrainableParameterCount);
        Assert.Equal("trainable params: 6 || all params: 18 || trainable%: 33.3333", model.DescribeTrainableParameters());
        Assert.True(result.LastLoss < 20, $"loss {result.LastLoss}");
        Assert.True(File.Exists(Path.Combine(folder, "adapter_model.safetensors")));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Gpt2Sample_Trains_AndAdaptsEveryLinearLayerOfAttention()
    {
        var folder = Directory.CreateTempSubdirectory("ortpeft").FullName;

        var (result, model) = Gpt2Sample.Run(Path.Combine(Folder(), "../../models/tiny-gpt2-apidocs"), folder);

        Assert.Equal(6, result.Steps);
        Assert.Contains(model.Parameters, static p => p.Name == "base_model.model.transformer.h.0.attn.c_proj.lora_A.weight");
        Assert.DoesNotContain(model.Parameters, static p => p.Name.Contains("mlp", StringComparison.Ordinal));
        Directory.Delete(folder, recursive: true);
    }

    [GeneratedRegex(@"^// sample: \w+\n(.*?)\n +// end", RegexOptions.Singleline)]
    private static partial Regex Sample();

    [Fact]
    public void SeveralSample_CombinesTwoAdaptersOfOneBase()
    {
        var folder = Directory.CreateTempSubdirectory("ortpeft").FullName;
        var source = ModelSource.Open(Path.Combine(Folder(), "../../models/tiny-gpt2-apidocs")).Model;
        var config = new LoraConfig { InitLoraWeights = false };
        var (poems, code) = (Path.Combine(folder, "poems"), Path.Combine(folder, "code"));
        PeftModel.Create(source, config, seed: 1).Save(poems);
        PeftModel.Create(source, config, seed: 2).Save(code);

        var model = SeveralSample.Run(source, poems, code);

        Assert.Equal(["default", "code", "mix"], model.Adapters.Names);
        Assert.Equal(["mix"], model.Adapters.ActiveNames);
        Assert.False(model.Adapters.IsEnabled);
        Directory.Delete(folder, recursive: true);
    }

    private static string Row(MethodDescription method)
    {
        var title = method.Paper is { } paper ? $"[{method.Title}]({paper})" : method.Title;
        var file = method.IsInHfPeft ? $"`{method.PeftType}`" : "–";
        return $"| {title} | `{method.Name}` | {method.Trains} | {file} | {method.WhyNotMergeable ?? "yes"} |\n";
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}

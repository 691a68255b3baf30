using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;
using OrtPeft.Inference.Generation;
using OrtPeft.Models;
using OrtPeft.Tokenizers;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>Generation ends at every token that one of the files beside a model names.</summary>
public sealed class StopTokenTests(Workplace place) : IClassFixture<Workplace>
{
    private const string Prompt = "the cat";

    [Theory]
    [InlineData("config.json", "[5,ID]", false)]
    [InlineData("config.json", "ID", true)]
    [InlineData("generation_config.json", "ID", false)]
    [InlineData("generation_config.json", "[ID,5]", true)]
    [InlineData("genai_config.json", "ID", false)]
    [InlineData("genai_config.json", "[5,ID]", false)]
    public void Generate_EndsAtTheTokensOfEitherFile(string file, string ids, bool isImported)
    {
        var name = $"stop-{Path.GetRandomFileName()}";
        var model = place.CopyOf(isImported ? place.Hf : place.Model, name);
        Write(model, file, ids.Replace("ID", First().ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        if (isImported)
        {
            var imported = place.Fresh();
            CliRun.Of("import", model, "--out", imported).Succeeded();
            model = imported;
        }

        var json = CliRun.Of("generate", model, "--prompt", Prompt, "--max-new-tokens", "3", "--json").Succeeded().Json;

        Assert.Equal(0, (int)json["tokens"]!);
        Assert.Equal("end_of_text", (string)json["finish_reason"]!);
    }

    [Fact]
    public void Generate_WhenNoFileNamesTheToken_GoesOn()
    {
        var json = CliRun.Of("generate", place.Model, "--prompt", Prompt, "--max-new-tokens", "3", "--json").Json;

        Assert.Equal(3, (int)json["tokens"]!);
    }

    [Fact]
    public void Generate_WhenATokenIsOutsideTheVocabulary_SaysSo()
    {
        var model = place.CopyOf(place.Model, "stop-outside");
        Write(model, "generation_config.json", "[-1,99999]");

        var run = CliRun.Of("generate", model, "--prompt", Prompt, "--max-new-tokens", "1", "--json");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("eos_token_id -1, 99999 is outside the vocabulary", run.Error, StringComparison.Ordinal);
    }

    private static void Write(string model, string file, string ids)
    {
        var path = Path.Combine(model, file);
        var json = File.Exists(path) ? JsonNode.Parse(File.ReadAllText(path))!.AsObject() : [];
        json["eos_token_id"] = JsonNode.Parse(ids);
        if (file == "genai_config.json")
            json = new JsonObject { ["model"] = json };
        File.WriteAllText(path, json.ToJsonString());
    }

    /// <summary>The token that the model would write first.</summary>
    private int First()
    {
        var source = ModelSource.Open(place.Model);
        using var generator = Generator.Open(source.Model);
        return generator.Generate(TokenizerFolder.Load(source.Folder), Prompt).First();
    }
}

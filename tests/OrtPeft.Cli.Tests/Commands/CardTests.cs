using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;
using YamlDotNet.RepresentationModel;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>The model card beside an adapter, and the name of the base in both.</summary>
public sealed class CardTests(Workplace place) : IClassFixture<Workplace>
{
    [Fact]
    public void Train_WithAnEvaluation_WritesACardWithItsMetrics()
    {
        var folder = place.Fresh();

        var run = Train(
            place.Model, folder, "--val-split", "0.25", "--steps", "2", "--base-id", "some-org/tiny", "--json").Succeeded();

        var card = Metadata(folder);
        Assert.Equal("some-org/tiny", Text(card, "base_model"));
        Assert.Equal("peft", Text(card, "library_name"));
        Assert.Equal(["base_model:adapter:some-org/tiny", "lora", "ortpeft"], List(card, "tags"));
        var result = (YamlMappingNode)((YamlSequenceNode)((YamlMappingNode)((YamlSequenceNode)card["model-index"])[0])["results"])[0];
        var loss = (YamlMappingNode)((YamlSequenceNode)result["metrics"])[0];
        Assert.Equal((double)run.Json["best_eval_loss"]!, double.Parse(Text(loss, "value"), System.Globalization.CultureInfo.InvariantCulture), 1e-6);
        Assert.Contains("| eval loss | ", Card(folder), StringComparison.Ordinal);
        Assert.Equal("some-org/tiny", BaseOf(folder));
    }

    [Fact]
    public void Train_WithoutAnEvaluation_ClaimsNothing()
    {
        var folder = place.Fresh();

        Train(place.Model, folder, "--steps", "1").Succeeded();

        Assert.DoesNotContain("model-index", Card(folder), StringComparison.Ordinal);
        Assert.DoesNotContain("base_model:", Card(folder), StringComparison.Ordinal); // a path is not a name of the hub
        Assert.DoesNotContain("## Results", Card(folder), StringComparison.Ordinal);
    }

    /// <summary>What was measured is of other weights than those that are kept.</summary>
    [Fact]
    public void Train_ThatKeepsWeightsItDidNotMeasure_ClaimsNothing()
    {
        var folder = place.Fresh();
        string[] train = ["--steps", "4", "--val-split", "0.25", "--eval-steps", "2", "--keep", "last"];

        Assert.Equal(130, CliRun.InterruptedAt("step 3/4", Words(place.Model, folder, train)).ExitCode);

        Assert.DoesNotContain("model-index", Card(folder), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("# My adapter\n")]
    [InlineData("")]
    public void Train_WhereAPersonWroteReadme_LeavesIt(string text)
    {
        var folder = place.Fresh();
        var readme = place.Write(Path.Combine(Path.GetFileName(folder), "README.md"), text);

        var run = Train(place.Model, folder, "--steps", "1").Succeeded();

        Assert.Equal(text, File.ReadAllText(readme));
        Assert.Contains("README.md is not ortpeft's, so it stays as it is.", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WhereItsOwnCardIs_ReplacesIt()
    {
        var folder = place.Fresh();
        Train(place.Model, folder, "--steps", "1").Succeeded();

        Train(place.Model, folder, "--steps", "1", "--overwrite", "--base-id", "a/b").Succeeded();

        Assert.Contains("base_model: \"a/b\"", Card(folder), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("some-org/tiny", "some-org/tiny")]
    [InlineData("./tiny", null)]
    [InlineData("/home/someone/tiny", null)]
    public void Train_OfAnHfFolder_TakesTheNameOfTheHubThatItNotes(string noted, string? name)
    {
        var (hf, folder) = (place.CopyOf(place.Hf, place.Fresh()), place.Fresh());
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(hf, "config.json")))!;
        config["_name_or_path"] = noted;
        File.WriteAllText(Path.Combine(hf, "config.json"), config.ToJsonString());

        Train(hf, folder, "--steps", "1").Succeeded();

        Assert.Equal(name ?? hf, BaseOf(folder));
    }

    [Fact]
    public void Train_OfAFolderInTheHubsCache_TakesTheNameOfTheHub()
    {
        Directory.CreateDirectory(place["hub/models--some-org--tiny-1.0/snapshots"]);
        var (hf, folder) = (place.CopyOf(place.Hf, "hub/models--some-org--tiny-1.0/snapshots/0123"), place.Fresh());

        Train(hf, folder, "--steps", "1").Succeeded();

        Assert.Equal("some-org/tiny-1.0", BaseOf(folder));
    }

    private static string Card(string folder) => File.ReadAllText(Path.Combine(folder, "README.md"));

    private static string? BaseOf(string folder) =>
        (string?)JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "adapter_config.json")))!["base_model_name_or_path"];

    private static YamlMappingNode Metadata(string folder)
    {
        var parts = Card(folder).Split("---\n", 3);
        Assert.Equal("", parts[0]);
        var yaml = new YamlStream();
        yaml.Load(new StringReader(parts[1]));
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value!;

    private static string[] List(YamlMappingNode node, string key) =>
        [.. ((YamlSequenceNode)node[key]).Select(static n => ((YamlScalarNode)n).Value!)];

    private string[] Words(string model, string folder, string[] options) =>
        ["train", model, "--data", place.Rows, "--out", folder, "--batch-size", "2", "--threads", "1", .. options];

    private CliRun Train(string model, string folder, params string[] options) => CliRun.Of(Words(model, folder, options));
}

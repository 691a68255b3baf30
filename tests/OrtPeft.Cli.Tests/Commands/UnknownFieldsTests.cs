using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>A configuration with fields that OrtPeft does not know: one line of warning, and nothing lost.</summary>
public sealed class UnknownFieldsTests : IClassFixture<Workplace>
{
    private readonly Workplace _place;
    private readonly string _adapter;

    public UnknownFieldsTests(Workplace place)
    {
        _place = place;
        _adapter = place["adapter"];
        if (Directory.Exists(_adapter))
            return;
        string[] options = ["--steps", "1", "--rank", "2"];
        CliRun.Of(["train", place.Model, "--data", place.Rows, "--out", _adapter, .. options]).Succeeded();
        var file = Path.Combine(_adapter, "adapter_config.json");
        var json = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        (json["future_gain"], json["later"], json["off"]) = (0.5, new JsonArray(1), false);
        File.WriteAllText(file, json.ToJsonString());
    }

    [Theory]
    [InlineData("eval", "--data", "rows.jsonl", "--adapter", "adapter")]
    [InlineData("generate", "--prompt", "the cat", "--max-new-tokens", "2", "--adapter", "adapter")]
    [InlineData("merge", "--out", "merged", "--adapter", "adapter")]
    [InlineData("mix", "--out", "mixed", "--adapter", "adapter=0.5")]
    [InlineData("inspect", "--init-adapter", "adapter")]
    [InlineData("inspect", "--peft-config", "adapter/adapter_config.json")]
    [InlineData("train", "--data", "rows.jsonl", "--steps", "1", "--out", "again", "--init-adapter", "adapter")]
    public void EveryVerb_WarnsOnceOnTheErrorStream(string verb, params string[] options)
    {
        string[] paths = ["rows.jsonl", "adapter", "adapter/adapter_config.json", "adapter=0.5"];
        string[] placed = [.. options.Select(o =>
            paths.Contains(o) ? _place[o] : o is "merged" or "mixed" or "again" ? _place.Fresh() : o)];

        var run = CliRun.Of([verb, _place.Model, .. placed, "--json"]);

        Assert.Equal(0, run.ExitCode);
        Assert.NotEmpty(run.Json);
        var line = Assert.Single(run.Error.TrimEnd('\n').Split('\n'));
        Assert.StartsWith($"ortpeft: warning: {_adapter}", line, StringComparison.Ordinal);
        Assert.EndsWith(": future_gain, later.", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_FromSuchAnAdapter_WritesItsFieldsBack()
    {
        var again = _place.Fresh();

        CliRun.Of(
            "train", _place.Model, "--data", _place.Rows, "--steps", "1", "--out", again, "--init-adapter", _adapter);

        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(again, "adapter_config.json")))!;
        Assert.Equal(0.5, (double)json["future_gain"]!);
        Assert.Equal("[1]", json["later"]!.ToJsonString());
        Assert.False((bool)json["off"]!);
    }
}

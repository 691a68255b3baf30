using System.Text.Json.Nodes;
using OrtPeft.Cli.Tests.Running;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>Names that match nothing: an error where the user typed them, one line of warning where an adapter's own
/// file has them.</summary>
public sealed class UnmatchedNamesTests(Workplace place) : IClassFixture<Workplace>
{
    [Theory]
    [InlineData("'vproj', which", "inspect", "--target", "c_attn,vproj")]
    [InlineData("has 9; the", "inspect", "--target", "c_attn", "--layers", "0,9")]
    [InlineData("'cattn', which", "train", "--data", "rows.jsonl", "--out", "out", "--rank-pattern", "cattn=2")]
    [InlineData("'mlp' is a regular", "train", "--data", "rows.jsonl", "--out", "out", "--set", "exclude_modules=mlp")]
    [InlineData("'^c_attn'", "artifacts", "--out", "out", "--alpha-pattern", "^c_attn=2")]
    [InlineData("has 9; the", "bench", "--layers", "9,0")]
    [InlineData("'vproj', which", "inspect", "--peft-config", "typed.json")]
    [InlineData("'cproj', which", "quantize", "--out", "out", "--target", "c_attn,cproj")]
    [InlineData("'cproj', which", "quantize", "--out", "out", "--target", "c_attn,cproj", "--loftq")]
    public void NameThatTheUserTyped_IsRefused(string said, string verb, params string[] options)
    {
        place.Write("typed.json", """{"peft_type":"LORA","target_modules":["c_attn","vproj"]}""");
        var folder = place.Fresh();
        string[] placed = [.. options.Select(o =>
            o == "out" ? folder : o.Contains(".json", StringComparison.Ordinal) ? place[o] : o)];

        CliRun.Of([verb, place.Model, .. placed]).Refused(2, said);

        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("eval", "--data", "rows.jsonl", "--adapter")]
    [InlineData("inspect", "--init-adapter")]
    public void NameInAnAdaptersFile_IsWarnedOfInOneLine(string verb, params string[] options)
    {
        var adapter = place.Fresh();
        CliRun.Of("train", place.Model, "--data", place.Rows, "--steps", "1", "--out", adapter).Succeeded();
        var file = Path.Combine(adapter, "adapter_config.json");
        var json = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        json["target_modules"]!.AsArray().Add("vproj");
        json["exclude_modules"] = "lyers.*";
        json["rank_pattern"] = new JsonObject { ["cattn"] = 4 };
        File.WriteAllText(file, json.ToJsonString());
        string[] placed = [.. options.Select(o => o == "rows.jsonl" ? place[o] : o)];

        var run = CliRun.Of([verb, place.Model, .. placed, adapter, "--json"]);

        Assert.Equal(0, run.ExitCode);
        var line = Assert.Single(run.Error.TrimEnd('\n').Split('\n'));
        Assert.StartsWith($"ortpeft: warning: {adapter}", line, StringComparison.Ordinal);
        Assert.All(["vproj", "lyers.*", "cattn"], name => Assert.Contains(name, line, StringComparison.Ordinal));
    }
}

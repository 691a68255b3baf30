using OrtPeft.Cli.Tests.Running;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Options;

/// <summary>A graph whose inputs are called by nothing that tells what they are.</summary>
public sealed class GraphNameOptionsTests(Workplace place) : IClassFixture<Workplace>
{
    private static readonly string Named = Fixtures.Graph("hf442_g2l_nopast_op13.onnx");

    private string Rows => place.Write("ids.jsonl", "{\"input_ids\":[5,17,30,42]}\n{\"input_ids\":[9,8,77]}\n");

    [Fact]
    public void IoMap_SaysWhatInputsAndOutputsAre()
    {
        var graph = Anonymous("mapped");
        string[] map = ["--io-map", "input_ids=a,attention_mask=b,position_ids=c,logits=d"];

        var expected = CliRun.Of("eval", Named, "--data", Rows, "--json").Succeeded().Json["loss"]!.GetValue<double>();
        var mapped = CliRun.Of(["eval", graph, "--data", Rows, "--json", .. map]).Succeeded().Json["loss"]!.GetValue<double>();

        Assert.Equal(expected, mapped, 1e-9);
    }

    /// <summary>The merged graph keeps the names that its file has.</summary>
    [Fact]
    public void IoMap_IsForOrtPeftAlone()
    {
        var (graph, adapter, merged) = (Anonymous("trained"), place.Fresh(), place.Fresh());
        string[] map = ["--io-map", "input_ids=a", "--io-map", "attention_mask=b", "--io-map", "position_ids=c,logits=d"];
        CliRun.Of(["train", graph, "--data", Rows, "--out", adapter, "--steps", "1", .. map]);

        CliRun.Of(["merge", graph, "--adapter", adapter, "--out", merged, .. map]).Succeeded();

        var model = OnnxFile.Load(Path.Combine(merged, "model.onnx"));
        Assert.Equal(["a", "b", "c"], model.Graph.Inputs.Select(static i => i.Name));
        Assert.Equal(["d"], model.Graph.Outputs.Select(static o => o.Name));
    }

    [Fact]
    public void Eval_WithoutTheMap_SaysThatThereIsOne() =>
        CliRun.Of("eval", Anonymous("alone"), "--data", Rows).Refused(2, "--io-map");

    [Theory]
    [InlineData("tokens=a", "'tokens'", "input_ids")]
    [InlineData("input_ids=x", "'input_ids=x'", "a, b, c")]
    [InlineData("logits=a", "no such output", "d")]
    [InlineData("input_ids", "'input_ids'", "NAME=OWN")]
    [InlineData("=a", "'=a'", "NAME=OWN")]
    public void IoMap_ThatSaysNothing_IsRefused(string map, params string[] said) =>
        CliRun.Of("eval", Anonymous(place.Fresh()), "--data", Rows, "--io-map", map).Refused(2, said);

    private string Anonymous(string name)
    {
        var model = OnnxFile.Load(Named);
        foreach (var (value, own) in model.Graph.Inputs.Zip(["a", "b", "c"]).Concat(model.Graph.Outputs.Zip(["d"])).ToList())
            model.Graph.Rename(value, own);
        var path = Path.Combine(place.Folder, $"{Path.GetFileName(name)}.onnx");
        OnnxFile.Save(model, path);
        return path;
    }
}

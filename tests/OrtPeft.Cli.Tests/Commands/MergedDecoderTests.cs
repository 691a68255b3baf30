using OrtPeft.Cli.Tests.Running;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Commands;

/// <summary>Optimum's merged decoder, two graphs under one If, goes through the verbs as a plain graph does.</summary>
public sealed class MergedDecoderTests : IDisposable
{
    private static readonly string Merged = Fixtures.Graph("hf442_g2l_legacymerged_op13__decoder_model_merged.onnx");
    private static readonly string Plain = Fixtures.Graph("hf442_g2l_past_op14.onnx");
    private static readonly string Adapter = Path.Combine(Fixtures.Folder, "peft_ckpt", "g2l_lora_all");

    private readonly Workplace _place = new();

    [Fact]
    public void EvalAndMerge_OnAMergedDecoder_GiveThePlainGraphsLoss()
    {
        var merged = _place.Fresh();
        CliRun.Of("merge", Merged, "--adapter", Adapter, "--out", merged).Succeeded();

        var expected = Loss(Plain, "--adapter", Adapter);

        Assert.Equal(expected, Loss(Merged, "--adapter", Adapter), 1e-5);
        Assert.Equal(expected, Loss(merged), 1e-5);
        Assert.Equal(Loss(Plain), Loss(Merged), 1e-5);
    }

    [Fact]
    public void Inspect_AsJson_SaysThatItTrainsAndWhatWasRewritten()
    {
        var json = CliRun.Of("inspect", Merged, "--json").Succeeded().Json;

        Assert.True((bool)json["trains"]!);
        Assert.Contains("trains", (string)json["verdict"]!, StringComparison.Ordinal);
        Assert.Contains("If", json.ToJsonString(), StringComparison.Ordinal);
    }

    public void Dispose() => _place.Dispose();

    private double Loss(string model, params string[] options)
    {
        var rows = _place.Write("few.jsonl", """{"input_ids": [5, 17, 60, 3, 99, 42]}""");
        return (double)CliRun.Of(["eval", model, "--data", rows, "--json", .. options]).Succeeded().Json["loss"]!;
    }
}

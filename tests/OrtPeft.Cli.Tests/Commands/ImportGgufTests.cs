using OrtPeft.Cli.Tests.Running;
using OrtPeft.Testing;

namespace OrtPeft.Cli.Tests.Commands;

public sealed class ImportGgufTests(Workplace place) : IClassFixture<Workplace>
{
    private static readonly string Small = Path.Combine(Fixtures.Folder, "gguf", "small-Q4_0.gguf");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Import_OfAGgufFile_MakesAFolderThatTrainsAndMerges(bool asFloat)
    {
        var (folder, adapter, merged) = (place.Fresh(), place.Fresh(), place.Fresh());
        var rows = place.Write("texts.jsonl", """{"text":"the cat sat on the mat"}""");

        CliRun.Of(["import", Small, "--out", folder, .. asFloat ? new[] { "--float" } : []]).Succeeded();
        CliRun.Of("train", folder, "--data", rows, "--out", adapter, "--steps", "2", "--rank", "2").Succeeded();
        var run = CliRun.Of("merge", folder, "--adapter", adapter, "--out", merged, "--json").Succeeded();

        Assert.True((bool)run.Json["keeps_graph"]!);
        CliRun.Of("eval", merged, "--data", rows).Succeeded();
    }

    [Theory]
    [InlineData("model.gguf", "is a GGUF file; make an ONNX folder of it with 'ortpeft import")]
    [InlineData("model.ort", "is in ONNX Runtime's own format")]
    public void Eval_OfAFileThatIsNoGraph_SaysWhatItIs(string name, string expected)
    {
        var file = place.Write(name, "GGUF");

        var run = CliRun.Of("eval", file, "--data", place.Rows);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }
}

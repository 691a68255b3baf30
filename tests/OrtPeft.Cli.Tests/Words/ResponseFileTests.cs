using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Words;

namespace OrtPeft.Cli.Tests.Words;

public sealed class ResponseFileTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Words_StandInPlaceOfTheFile()
    {
        File.WriteAllText(_file, "# a run\n--lr 1e-3 --out \"my folder\"\n\n--resume\n");

        var words = ResponseFile.Expand(["train", "m", $"@{_file}", "--json"]);

        Assert.Equal(["train", "m", "--lr", "1e-3", "--out", "my folder", "--resume", "--json"], words);
    }

    [Fact]
    public void TextThatBeginsWithTheSign_StaysAText()
    {
        File.WriteAllText(_file, "other words");

        string[] prompt = ["generate", "m", "--prompt", $"@{_file}"];

        Assert.Equal(prompt, ResponseFile.Expand(prompt));
        Assert.Equal(["tokenize", $"@{_file}"], ResponseFile.Expand(["tokenize", $"@{_file}"]));
        Assert.Equal(["train", "@"], ResponseFile.Expand(["train", "@"]));
    }

    [Fact]
    public void MissingFile_IsNamed()
    {
        var error = Assert.Throws<UsageException>(static () => ResponseFile.Expand(["train", "@no/such.rsp"]));

        Assert.Contains("no/such.rsp does not exist", error.Message, StringComparison.Ordinal);
    }
}

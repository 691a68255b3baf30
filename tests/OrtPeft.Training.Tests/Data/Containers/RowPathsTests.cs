using OrtPeft.Training.Data;
using OrtPeft.Training.Data.Containers;

namespace OrtPeft.Training.Tests.Data.Containers;

public sealed class RowPathsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rows").FullName;

    public RowPathsTests()
    {
        string[] names = ["b.jsonl", "a.csv.gz", "README.md", "sub/c.parquet", "sub/deep/d.json", ".hidden.jsonl", "x*.jsonl"];
        foreach (var name in names)
        {
            var path = Path.Combine(_folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "");
        }
    }

    [Theory]
    [InlineData("", new[] { "a.csv.gz", "b.jsonl", "sub/c.parquet", "sub/deep/d.json", "x*.jsonl" }, 2)]
    [InlineData("/b.jsonl", new[] { "b.jsonl" }, 0)]
    [InlineData("/nothing.jsonl", new[] { "nothing.jsonl" }, 0)]
    [InlineData("/?.*", new[] { "a.csv.gz", "b.jsonl" }, 0)]
    [InlineData("/x*.jsonl", new[] { "x*.jsonl" }, 0)]
    [InlineData("/s*/*.parquet", new[] { "sub/c.parquet" }, 0)]
    [InlineData("/**/*.json", new[] { "sub/deep/d.json" }, 0)]
    public void Find_GivesTheFilesInOrder(string pattern, string[] expected, int skipped)
    {
        var found = RowPaths.Find(_folder + pattern, out var left);

        Assert.Equal(expected.Select(name => Path.Combine(_folder, name)), found);
        Assert.Equal(skipped, left);
    }

    [Theory]
    [InlineData("/*.tsv")]
    [InlineData("/empty")]
    public void Find_WhenThereIsNone_Throws(string pattern)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "empty"));

        Assert.Throws<TrainingDataException>(() => RowPaths.Find(_folder + pattern, out _));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

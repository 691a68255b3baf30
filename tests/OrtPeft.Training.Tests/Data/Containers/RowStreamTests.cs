using System.IO.Compression;
using System.Text;
using OrtPeft.Training.Data;
using Parquet.Serialization;
using ZstdSharp;

namespace OrtPeft.Training.Tests.Data.Containers;

public sealed class RowStreamTests
{
    private const string Lines = "{\"text\":\"ä\"}\n\n{\"text\":\"b\"}\n";

    [Theory]
    [InlineData("rows.json", "[{\"text\":\"ä\"},\n{\"text\":\"b\"}]", 1, 2)]
    [InlineData("rows.json", "\uFEFF [\n {\"text\":\"ä\"}\n,{\"text\":\n\"b\"} ]\n", 2, 3)]
    [InlineData("rows.jsonl", Lines, 1, 3)]
    [InlineData("rows", Lines, 1, 3)]
    [InlineData("rows.csv", "text\nä\nb\n", 2, 3)]
    [InlineData("rows.csv", "\uFEFFtext\r\n\"ä\"\r\n\r\n\"b\"", 2, 4)]
    [InlineData("ROWS.TSV", "text\tother\nä\t1\nb\t\n", 2, 3)]
    [InlineData("standard input", "\uFEFFtext,other\nä,1\nb,\n", 2, 3)]
    [InlineData("standard input", "\"text\"\t\"a,b\"\nä\t1\nb\t\n", 2, 3)]
    [InlineData("standard input", "[{\"text\":\"ä\"},\n{\"text\":\"b\"}]", 1, 2)]
    [InlineData("rows.csv", "[n],text\n1,ä\n2,b\n", 2, 3)]
    public void Read_OfEveryTextContainer_GivesTheRowsAndTheirLines(string name, string content, int first, int second)
    {
        var rows = Read(Encoding.UTF8.GetBytes(content), name);

        Assert.Equal(["ä$", "b$"], rows.Select(Rows.Text));
        Assert.Equal([first, second], rows.Select(static r => r.Line));
    }

    [Fact]
    public void Read_OfCompressedFiles_GivesTheRows()
    {
        var plain = Encoding.UTF8.GetBytes("text\nä\nb\n");

        Assert.Equal(["ä$", "b$"], Read(Gzip(plain), "rows.csv.gz").Select(Rows.Text));
        Assert.Equal(["ä$", "b$"], Read(Zstd(plain), "rows.csv.zst").Select(Rows.Text));
        Assert.Equal(["ä$", "b$"], Read(Gzip("text,n\nä,1\nb,2\n"u8.ToArray()), "standard input").Select(Rows.Text));
        Assert.Equal(["ä$", "b$"], Read(Gzip(Encoding.UTF8.GetBytes(Lines)), "rows.jsonl.gz").Select(Rows.Text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Read_WhenCompressedDataIsCutShort_SaysSo(bool isGzip)
    {
        var plain = Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Repeat("{\"text\":\"abc\"}", 9000)));
        var whole = isGzip ? Gzip(plain) : Zstd(plain);

        var error = Assert.Throws<TrainingDataException>(() => Read(whole[..^20], "rows.jsonl.gz"));

        Assert.StartsWith("rows.jsonl.gz: the compressed data is damaged", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_OfParquet_GivesNestedRows()
    {
        using var file = new MemoryStream();
        Chat[] chats =
        [
            new([new("user", "a"), new("assistant", "b")], 1.5, ["x"]),
            new([new("user", "c"), new("assistant", "d")], null, []),
        ];
        await ParquetSerializer.SerializeAsync(chats, file);

        var rows = Read(file.ToArray(), "rows.parquet");

        Assert.Equal(["user: a\nassistant: b\n$", "user: c\nassistant: d\n$"], rows.Select(Rows.Text));
        Assert.Equal([1, 2], rows.Select(static r => r.Line));
        Assert.Equal(rows.Select(Rows.Text), Read(Gzip(file.ToArray()), "rows.parquet.gz").Select(Rows.Text));
    }

    [Fact]
    public void Read_WhenParquetIsCutShort_SaysSo()
    {
        var error = Assert.Throws<TrainingDataException>(() => Read("PAR1 and no more"u8.ToArray(), "rows.parquet"));

        Assert.StartsWith("rows.parquet: the Parquet file cannot be read", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("r.json", "[{\"text\":\"a\"},]", "r.json:1:15: ")]
    [InlineData("r.json", "[{\"text\":\"a\"}\n {\"text\":\"b\"}]", "r.json:2:")]
    [InlineData("r.json", "[{\"text\":\"a\"}", "r.json:1:14: the file ends")]
    [InlineData("r.json", "[{\"text\":\"a\"}] x", "r.json:1:16: ")]
    [InlineData("r.json", "[{\"text\":\"ä\"},\n {\"text\": ?}]", "r.json:2:11: not valid JSON")]
    [InlineData("r.json", "[1]", "r.json:1: the row is a number")]
    [InlineData("r.txt", "text,n\na,b\n", "r.txt:1:2: not valid JSON")]
    [InlineData("r.csv", "text,text\na,b\n", "r.csv:1: two fields are named \"text\"")]
    [InlineData("r.csv", "text,\na,b\n", "r.csv:1: a field has no name")]
    [InlineData("r.csv", "text,n\na\n", "r.csv:2: the record has 1 fields; the first line names 2")]
    [InlineData("r.csv", "text\na\n\"b\nc\n", "r.csv:3:1: the quote that opens here is never closed")]
    [InlineData("r.csv", "text\n\"b\"c\n", "r.csv:2:4: text follows a closing quote")]
    public void Read_WhenTheContainerIsDamaged_NamesThePlace(string name, string content, string message)
    {
        var error = Assert.Throws<TrainingDataException>(() => Read(Encoding.UTF8.GetBytes(content), name));

        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfQuotedFields_KeepsSeparatorsQuotesAndLineEnds()
    {
        var rows = Read("prompt,completion\n\"a,\"\"b\"\"\r\nc\",\"\"\nd,e\n"u8.ToArray(), "rows.csv");

        Assert.Equal(["a,\"b\"\r\nc$", "de$"], rows.Select(Rows.Text));
        Assert.Equal([2, 4], rows.Select(static r => r.Line));
    }

    [Fact]
    public void Read_WhenAFieldIsEmptyAndNotQuoted_TakesItAsAbsent()
    {
        var error = Assert.Throws<TrainingDataException>(
            () => Read("prompt,completion\n,b\n"u8.ToArray(), "rows.csv"));

        Assert.Equal("rows.csv:2: prompt: missing; expected a string", error.Message);
    }

    private static List<Example> Read(byte[] content, string name)
    {
        using var stream = new MemoryStream(content);
        return [.. new ExampleReader(new CharTokenizer()).Read(stream, name)];
    }

    private static byte[] Gzip(byte[] plain)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Fastest))
            gzip.Write(plain);
        return target.ToArray();
    }

    private static byte[] Zstd(byte[] plain)
    {
        using var target = new MemoryStream();
        using (var zstd = new CompressionStream(target))
            zstd.Write(plain);
        return target.ToArray();
    }

    private sealed record Chat(List<Turn> messages, double? score, List<string> tags)
    {
        public Chat()
            : this([], null, [])
        {
        }
    }

    private sealed record Turn(string role, string content)
    {
        public Turn()
            : this("", "")
        {
        }
    }
}

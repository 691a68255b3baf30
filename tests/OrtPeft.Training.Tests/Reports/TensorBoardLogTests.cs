using System.Text;
using OrtPeft.Testing;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Training.Tests.Reports;

public sealed class TensorBoardLogTests : IDisposable
{
    private static readonly StepMetrics Step = new()
    {
        Step = 300,
        Epoch = 0.5,
        Loss = 2.25,
        LearningRate = 1e-3,
        GradNorm = double.NaN,
        Tokens = 100,
        TokensPerSecond = double.PositiveInfinity,
        Seconds = 1,
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The vectors of RFC 3720, B.4, and of the catalogue of CRC algorithms: the reader that tests use is
    /// right.</summary>
    [Fact]
    public void Reader_OfPublishedVectors_GivesTheirChecksums()
    {
        Assert.Equal(0xE3069283U, EventFile.Crc32C("123456789"u8));
        Assert.Equal(0x8A9136AAU, EventFile.Crc32C(new byte[32]));
        Assert.Equal(0x62A8AB43U, EventFile.Crc32C([.. Enumerable.Repeat((byte)0xFF, 32)]));
        Assert.Equal(0x46DD794EU, EventFile.Crc32C([.. Enumerable.Range(0, 32).Select(static i => (byte)i)]));
    }

    [Fact]
    public void Create_BeginsAsAllEventFilesDo()
    {
        TensorBoardLog.Create(_folder.Path, clock: new Clock()).Dispose();

        var bytes = File.ReadAllBytes(Assert.Single(Directory.GetFiles(_folder.Path)));
        Assert.Equal("1800000000000000" + "A37F4B22" + "09", Convert.ToHexString(bytes, 0, 13));
        var first = Assert.Single(EventFile.Records(bytes));
        Assert.Equal("brain.Event:2", EventFile.Text(first, 3));
        Assert.Equal(1_700_000_000.5, BitConverter.UInt64BitsToDouble(EventFile.Fields(first)[0].Number));
    }

    [Fact]
    public void Append_OfStepsAndEvaluations_WritesScalars()
    {
        var records = Written(log =>
        {
            log.Append(Step);
            log.Append(new EvaluationMetrics { Step = 0, Loss = 0 });
        });

        Assert.Equal(300UL, EventFile.Fields(records[1]).Single(static f => f.Field == 2).Number);
        Assert.Equal(
            [
                ("train/loss", 2.25F), ("train/epoch", 0.5F), ("train/learning_rate", 1e-3F),
                ("train/tokens_per_second", float.PositiveInfinity),
            ],
            Scalars(records[1]));
        Assert.DoesNotContain(EventFile.Fields(records[2]), static f => f.Field == 2); // step 0 is the default
        Assert.Equal([("eval/loss", 0F), ("eval/perplexity", 1F)], Scalars(records[2]));
    }

    [Fact]
    public void Append_OfAText_WritesATensorForThePluginOfTexts()
    {
        var records = Written(static log => log.Append(7, "samples/1", "ü\n</script>"));

        var value = EventFile.Inner(EventFile.Inner(records[1], 5), 1);
        Assert.Equal("samples/1/text_summary", EventFile.Text(value, 1));
        Assert.Equal("text", EventFile.Text(EventFile.Inner(EventFile.Inner(value, 9), 1), 1));
        var tensor = EventFile.Inner(value, 8);
        Assert.Equal(7UL, EventFile.Fields(tensor)[0].Number); // DT_STRING
        Assert.Equal(1UL, EventFile.Fields(EventFile.Inner(EventFile.Inner(tensor, 2), 2))[0].Number);
        Assert.Equal("    ü\n    </script>", EventFile.Text(tensor, 8));
    }

    /// <summary>TensorBoard drops what an earlier file has from the step of a start on.</summary>
    [Fact]
    public void Create_ToGoOn_SaysWhereItStarts_InAnotherFile()
    {
        TensorBoardLog.Create(_folder.Path, clock: new Clock()).Dispose();
        TensorBoardLog.Create(_folder.Path, step: 41, clock: new Clock()).Dispose();

        var files = Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(2, files.Length);
        var start = EventFile.Records(File.ReadAllBytes(files[1]))[1];
        Assert.Equal(41UL, EventFile.Fields(start).Single(static f => f.Field == 2).Number);
        Assert.Equal(1UL, Assert.Single(EventFile.Fields(EventFile.Inner(start, 7))).Number);
    }

    private static IEnumerable<(string Tag, float Value)> Scalars(byte[] record) =>
        EventFile.Fields(EventFile.Inner(record, 5)).Select(static f => (
            Encoding.UTF8.GetString(EventFile.Fields(f.Bytes)[0].Bytes),
            BitConverter.UInt32BitsToSingle((uint)EventFile.Fields(f.Bytes)[1].Number)));

    private List<byte[]> Written(Action<TensorBoardLog> write)
    {
        using (var log = TensorBoardLog.Create(_folder.Path, clock: new Clock()))
            write(log);
        return EventFile.Records(File.ReadAllBytes(Assert.Single(Directory.GetFiles(_folder.Path))));
    }

    private sealed class Clock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_500);
    }
}

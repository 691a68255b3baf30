using OrtPeft.Cli.Options;

namespace OrtPeft.Cli.Tests.Options;

public sealed class SizeOptionTests
{
    [Theory]
    [InlineData("1500MB", 1_500_000_000)]
    [InlineData("1.5GB", 1_500_000_000)]
    [InlineData("4 GiB", 4L << 30)]
    [InlineData("512mib", 512L << 20)]
    [InlineData("0.5KB", 500)]
    [InlineData("2TB", 2_000_000_000_000)]
    public void Read_OfANumberWithAUnit_GivesBytes(string text, long expected) =>
        Assert.Equal(expected, SizeOption.Read(text));

    [Theory]
    [InlineData("")]
    [InlineData("GB")]
    [InlineData("1500")]
    [InlineData("-1GB")]
    [InlineData("0GB")]
    [InlineData("1,5GB")]
    [InlineData("NaNGB")]
    [InlineData("1e3MB")]
    [InlineData("99999999999999TB")]
    [InlineData("4 gigabytes")]
    public void Read_OfAnythingElse_GivesNothing(string text) => Assert.Null(SizeOption.Read(text));
}

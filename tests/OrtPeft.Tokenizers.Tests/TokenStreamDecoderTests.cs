using OrtPeft.Tokenizers.Tests.Reference;

namespace OrtPeft.Tokenizers.Tests;

public sealed class TokenStreamDecoderTests(Gpt2Fixture gpt2) : IClassFixture<Gpt2Fixture>
{
    [Fact]
    public void Append_WhileACharacterIsUnfinished_GivesNothing()
    {
        var bytesOnly = TinyTokenizer.Load(static _ => { });
        var decoder = new TokenStreamDecoder(bytesOnly);

        string[] pieces = [.. bytesOnly.Encode("é😀x").Select(decoder.Append)];

        Assert.Equal(["", "é", "", "", "", "😀", "x"], pieces);
    }

    [Fact]
    public void Append_OverAWholeText_JoinsToTheText()
    {
        var text = Gpt2Fixture.Goldens.Single(static golden => golden.Name == "random unicode").Text;
        var decoder = new TokenStreamDecoder(gpt2.Tokenizer);

        var joined = string.Concat(gpt2.Tokenizer.Encode(text).Select(decoder.Append)) + decoder.Flush();

        Assert.Equal(text.WithoutLoneSurrogates(), joined);
    }

    [Fact]
    public void Append_OverTokensThatAreNotUtf8_JoinsToWhatDecodeGives()
    {
        int[] ids = [.. Enumerable.Range(0, 5000).Select(static i => i * 7919 % 256)];
        var decoder = new TokenStreamDecoder(gpt2.Tokenizer);

        var joined = string.Concat(ids.Select(decoder.Append)) + decoder.Flush();

        Assert.Equal(gpt2.Tokenizer.Decode(ids), joined);
    }

    [Fact]
    public void Flush_WhenACharacterIsUnfinished_GivesTheReplacementCharacterAndStartsAfresh()
    {
        var bytesOnly = TinyTokenizer.Load(static _ => { });
        var decoder = new TokenStreamDecoder(bytesOnly);
        decoder.Append(bytesOnly.Encode("😀")[0]);

        var end = decoder.Flush();

        Assert.Equal("\uFFFD", end);
        Assert.Equal("a", decoder.Append('a' - '!'));
    }
}

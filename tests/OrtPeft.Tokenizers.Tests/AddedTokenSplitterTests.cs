using OrtPeft.Tokenizers.Tests.Reference;

namespace OrtPeft.Tokenizers.Tests;

public sealed class AddedTokenSplitterTests
{
    [Fact]
    public void Encode_WhenOneTokenBeginsAnother_TakesTheLongest()
    {
        var tokenizer = TinyTokenizer.WithAddedTokens(
            TinyTokenizer.AddedToken("<a", 300), TinyTokenizer.AddedToken("<a>", 301));

        Assert.Equal([300, 301], tokenizer.Encode("<a<a>"));
    }

    [Fact]
    public void Encode_WhenTokensOverlap_TakesTheLeftmost()
    {
        var tokenizer = TinyTokenizer.WithAddedTokens(
            TinyTokenizer.AddedToken("ab", 300), TinyTokenizer.AddedToken("bcd", 301));

        Assert.Equal([300, 'c' - '!', 'd' - '!'], tokenizer.Encode("abcd"));
    }

    [Fact]
    public void Encode_WhenATokenIsNormalized_LooksForItAfterTheOthers()
    {
        var tokenizer = TinyTokenizer.WithAddedTokens(
            TinyTokenizer.AddedToken("ab", 300, "normalized"), TinyTokenizer.AddedToken("bcd", 301));

        Assert.Equal(['a' - '!', 301, 300], tokenizer.Encode("abcdab"));
    }

    [Fact]
    public void Encode_WhenSpecialTokensAreText_StillTakesOtherAddedTokens()
    {
        var tokenizer = TinyTokenizer.WithAddedTokens(
            TinyTokenizer.AddedToken("<s>", 300, "special"), TinyTokenizer.AddedToken("<t>", 301));

        var ids = tokenizer.Encode("<s><t>", SpecialTokenHandling.TreatAsText);

        Assert.Equal(['<' - '!', 's' - '!', '>' - '!', 301], ids);
    }

    [Theory]
    [InlineData("lstrip", "a \t<s> b", "a<s> b")]
    [InlineData("rstrip", "a <s> \nb", "a <s>b")]
    [InlineData("special", "a <s> b", "a <s> b")]
    public void Encode_WhenATokenStrips_SwallowsWhiteSpaceOnThatSide(string flag, string text, string expected)
    {
        var tokenizer = TinyTokenizer.WithAddedTokens(TinyTokenizer.AddedToken("<s>", 300, flag));

        Assert.Equal(expected, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Theory]
    [InlineData("yes", true)]
    [InlineData("(yes)", true)]
    [InlineData("yes!", true)]
    [InlineData("eyes", false)]
    [InlineData("yesé", false)]
    [InlineData("yes_", false)]
    [InlineData("yes\U0001D49C", false)]
    [InlineData("\u24D0yes", false)]
    public void Encode_WhenATokenIsASingleWord_TakesItBetweenNonWordCharactersOnly(string text, bool isTaken)
    {
        var tokenizer = TinyTokenizer.WithAddedTokens(TinyTokenizer.AddedToken("yes", 300, "single_word"));

        Assert.Equal(isTaken, tokenizer.Encode(text).Contains(300));
    }

    [Fact]
    public void Decode_OfAnAddedTokenWithByteAlphabetLetters_GivesItsSpelling()
    {
        var tokenizer = TinyTokenizer.WithAddedTokens(TinyTokenizer.AddedToken("<é😀>", 300));

        Assert.Equal("a<é😀>b", tokenizer.Decode(tokenizer.Encode("a<é😀>b")));
    }
}

using System.Globalization;
using System.Text;
using OrtPeft.Tokenizers.Tests.Reference;

namespace OrtPeft.Tokenizers.Tests;

public sealed class Gpt2PatternTests
{
    /// <summary>Each value that has a meaning, and a sample of the eight hundred thousand that have none.</summary>
    [Fact]
    public void MatchLength_ForEveryScalarValueAmongNeighbours_AgreesWithTheLiteralPattern()
    {
        var wrong = new List<string>();

        for (var value = 0; value <= 0x10FFFF; value++)
        {
            if (!Rune.TryCreate(value, out var rune) || (IsUnassigned(rune) && value % 61 != 0))
                continue;
            var text = $"a{rune} {rune}{rune}1{rune}!  {rune}";
            if (!Split(text).SequenceEqual(NaivePattern.Split(text)))
                wrong.Add($"U+{value:X4}");
        }

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("I'm they'll we've", new[] { "I", "'m", " they", "'ll", " we", "'ve" })]
    [InlineData("I'M DON'T", new[] { "I", "'", "M", " DON", "'", "T" })]
    [InlineData("x's 's ?'s", new[] { "x", "'s", " '", "s", " ?'", "s" })]
    [InlineData("'r 'v 'l", new[] { "'", "r", " '", "v", " '", "l" })]
    public void MatchLength_AtApostrophes_TakesLowerCaseContractionsOnly(string text, string[] expected)
    {
        Assert.Equal(expected, Split(text));
    }

    [Theory]
    [InlineData("a  b", new[] { "a", " ", " b" })]
    [InlineData("a \n b", new[] { "a", " \n", " b" })]
    [InlineData("a\n\nb", new[] { "a", "\n", "\n", "b" })]
    [InlineData("a  ", new[] { "a", "  " })]
    [InlineData("a\u0085b", new[] { "a", "\u0085", "b" })]
    [InlineData("a\u00A0\u00A0b", new[] { "a", "\u00A0", "\u00A0", "b" })]
    public void MatchLength_AtWhiteSpace_LeavesTheLastOneToTheNextWord(string text, string[] expected)
    {
        Assert.Equal(expected, Split(text));
    }

    [Fact]
    public void MatchLength_AtByteOrderMark_TreatsItAsVisible()
    {
        var words = Split("a \uFEFFb");

        Assert.Equal(["a", " \uFEFF", "b"], words);
    }

    [Fact]
    public void MatchLength_AtLoneSurrogate_TreatsItAsTheReplacementCharacter()
    {
        var words = Split("a\uD800! \uDC00b");

        Assert.Equal(["a", "\uD800!", " \uDC00", "b"], words);
    }

    [Fact]
    public void MatchLength_AtSupplementaryLetters_JoinsThemWithBasicOnes()
    {
        var words = Split("x\U00010437y \U0001D49C1");

        Assert.Equal(["x\U00010437y", " \U0001D49C", "1"], words);
    }

    private static bool IsUnassigned(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse;

    private static string[] Split(string text)
    {
        var words = new List<string>();
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty)
        {
            var length = Gpt2Pattern.MatchLength(rest);
            words.Add(rest[..length].ToString());
            rest = rest[length..];
        }

        return [.. words];
    }
}

using System.Text.RegularExpressions;

namespace OrtPeft.Tokenizers.Tests;

/// <summary>
/// Against .NET's <c>Regex</c> on the pattern as files spell it: within the basic plane its units are scalar values.
/// </summary>
public sealed class Cl100kPatternTests
{
    /// <summary>Letters, marks, numbers, symbols and white space of many kinds, and what contractions need.</summary>
    private const string Alphabet =
        "abSTtsrReEvVlLmMdDé中Ωʰ\u0301019²½٣Ⅷ'’ .,!?_-€\u200D\u00AD \t\n\r\u0085\u00A0\u3000\u2028";

    public static TheoryData<string> Texts =>
    [
        "I'll say it's 'fine'; DON'T  stop,\r\n\r\n  we'Re 1234567 of 12,345.67!\n",
        "   leading, trailing   ",
        "\n\n\n",
        " \n \n x",
        "a\u00A0b \u3000\t",
        "'S'T'RE'VE'M'LL'D'x'",
        "foo_bar(baz)[0]=>{\"k\":1}\n\n\tif x:\n\t\treturn",
        "日本語 テスト123 e\u0301te\u0301",
        "...\r\n---\n\n",
    ];

    [Theory]
    [MemberData(nameof(Texts))]
    public void MatchLength_OfAText_IsTheRegexes(string text)
    {
        MustAgree(WordPattern.Llama3, text);
        MustAgree(WordPattern.Qwen2, text);
        MustAgree(WordPattern.SingleDigits, text);
    }

    [Fact]
    public void MatchLength_OfRandomTexts_IsTheRegexes()
    {
        var random = new Random(7);
        for (var i = 0; i < 4000; i++)
        {
            string text = new([.. Enumerable.Range(0, random.Next(1, 24)).Select(_ =>
                Alphabet[random.Next(Alphabet.Length)])]);
            MustAgree(WordPattern.Llama3, text);
            MustAgree(WordPattern.Qwen2, text);
            MustAgree(WordPattern.Gpt2, text);
            MustAgree(WordPattern.SingleDigits, text);
        }
    }

    [Theory]
    [InlineData("𝐀𝐁𝐂1", "𝐀𝐁𝐂|1")]
    [InlineData("😀x 😀😀\ny", "😀x| 😀😀\n|y")]
    [InlineData("𝟏𝟐𝟑𝟒", "𝟏𝟐𝟑|𝟒")]
    [InlineData("it'ſ", "it|'ſ")]
    public void MatchLength_OfWhatRegexCannotSee_IsAsWritten(string text, string words) =>
        Assert.Equal(words.Split('|'), Split(WordPattern.Llama3, text));

    [Fact]
    public void Find_OfAnotherPattern_IsNull()
    {
        Assert.Null(WordPattern.Find(@"\w+"));
        Assert.Same(WordPattern.Gpt2, WordPattern.Find(WordPattern.Gpt2.Regex));
    }

    private static void MustAgree(WordPattern pattern, string text)
    {
        var expected = Regex.Matches(text, pattern.Regex, RegexOptions.CultureInvariant)
            .Select(static match => match.Value);
        Assert.Equal(expected, Split(pattern, text));
    }

    private static List<string> Split(WordPattern pattern, string text)
    {
        var words = new List<string>();
        for (var at = 0; at < text.Length; at += words[^1].Length)
            words.Add(text.Substring(at, pattern.MatchLength(text.AsSpan(at))));
        return words;
    }
}

using System.Text;
using OrtPeft.Tokenizers.Normalization;

namespace OrtPeft.Tokenizers.Tests.Normalization;

/// <summary>Normal form C against ICU's, which .NET has where the machine does.</summary>
public sealed class NormalFormCTests
{
    /// <summary>Letters, marks of several classes, Hangul's parts and syllables, exclusions, other planes.</summary>
    private static readonly int[] Pieces =
    [
        'a', 'e', 'o', 's', 0xE9, 0x1E69, 0x212B, 0x2126, 0x300, 0x301, 0x307, 0x323, 0x327, 0x338, 0x345, 0x5B0,
        0x5BC, 0x915, 0x93C, 0x958, 0x9C7, 0x9BE, 0x1100, 0x1161, 0x11A8, 0xAC00, 0xAC01, 0xD7A3, 0x304B, 0x3099,
        0xF900, 0xFB1D, 0x11099, 0x110BA, 0x1D157, 0x1D165, 0x1F600, 0x2F800, 0x200D, 0xFE0F,
    ];

    [Fact]
    public void Of_EveryCharacterOfTheFirstPlanes_IsAsIcuHasIt()
    {
        if (!HasIcu)
            return;
        var differing = Enumerable.Range(1, 0x2FFFF)
            // ICU refuses what is no character, and may know characters that are younger than the tables.
            .Where(static c => Rune.IsValid(c) && (c & 0xFFFE) != 0xFFFE && c is not (>= 0x10500 and < 0x11000)
                and not (>= 0x11300 and < 0x11400) and not (>= 0x16000 and < 0x17000))
            .Where(static c => NormalFormC.Of(new Rune(c).ToString()) != new Rune(c).ToString().Normalize());

        Assert.Empty(differing);
    }

    [Fact]
    public void Of_AnySequence_IsAsIcuHasIt()
    {
        if (!HasIcu)
            return;
        var random = new Random(7);
        for (int i = 0; i < 20_000; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(1, 9))
                .Select(_ => new Rune(Pieces[random.Next(Pieces.Length)]).ToString()));

            Assert.Equal(text.Normalize(), NormalFormC.Of(text));
        }
    }

    [Theory]
    [InlineData("cafe\u0301", "caf\u00e9")]
    [InlineData("s\u0323\u0307", "\u1e69")]
    [InlineData("s\u0307\u0323", "\u1e69")]
    [InlineData("\u1100\u1161\u11a8", "\uac01")]
    [InlineData("\u0958", "\u0915\u093c")]
    [InlineData("\ufffe\uffff", "\ufffe\uffff")]
    [InlineData("", "")]
    public void Of_KnownTexts_IsUnicodes(string text, string expected) => Assert.Equal(expected, NormalFormC.Of(text));

    [Fact]
    public void Of_ALoneSurrogate_IsTheReplacementCharacter() =>
        Assert.Equal("a\ufffdb\u0300", NormalFormC.Of("a\ud800b\u0300"));

    private static bool HasIcu => "e\u0301".Normalize() == "\u00e9";
}

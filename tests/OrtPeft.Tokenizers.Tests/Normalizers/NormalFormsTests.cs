using System.Text;
using OrtPeft.Tokenizers.Normalizers;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Tests.Normalizers;

/// <summary>The normal forms against ICU's, which .NET has where the machine does.</summary>
public sealed class NormalFormsTests
{
    /// <summary>Letters, marks of several classes, Hangul's parts and syllables, exclusions, other planes.</summary>
    private static readonly int[] Pieces =
    [
        'a', 'e', 'o', 's', 0xE9, 0x1E69, 0x212B, 0x2126, 0x300, 0x301, 0x307, 0x323, 0x327, 0x338, 0x345, 0x5B0,
        0x5BC, 0x915, 0x93C, 0x958, 0x9C7, 0x9BE, 0x1100, 0x1161, 0x11A8, 0xAC00, 0xAC01, 0xD7A3, 0x304B, 0x3099,
        0xF900, 0xFB1D, 0x11099, 0x110BA, 0x1D157, 0x1D165, 0x1F600, 0x2F800, 0x200D, 0xFE0F, 0xFB01, 0xBD, 0x3000,
    ];

    public static TheoryData<string> Forms => [.. Enum.GetNames<NormalForm>()];

    [Theory]
    [MemberData(nameof(Forms))]
    public void Apply_ToEveryCharacterOfUnicode9_IsAsIcuHasIt(string name)
    {
        if (!HasIcu)
            return;
        var form = Enum.Parse<NormalForm>(name);
        var codes = UnicodeTables.Current.Assigned9.Ranges
            .SelectMany(static r => Enumerable.Range(r.Start, r.End - r.Start)).Where(Rune.IsValid);

        Assert.DoesNotContain(codes.Select(static c => new Rune(c).ToString()), text =>
            NormalForms.Apply(text, form) != text.Normalize(Icu(form)));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Apply_ToAnySequence_IsAsIcuHasIt(string name)
    {
        if (!HasIcu)
            return;
        var form = Enum.Parse<NormalForm>(name);
        var random = new Random(7);
        for (var i = 0; i < 10_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 9))
                .Select(_ => new Rune(Pieces[random.Next(Pieces.Length)]).ToString()));

            Assert.Equal(text.Normalize(Icu(form)), NormalForms.Apply(text, form));
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
    public void Apply_OfC_IsUnicodes(string text, string expected) =>
        Assert.Equal(expected, NormalForms.Apply(text, NormalForm.Composed));

    private static bool HasIcu => "e\u0301".Normalize() == "\u00e9";

    private static NormalizationForm Icu(NormalForm form) => form switch
    {
        NormalForm.Composed => NormalizationForm.FormC,
        NormalForm.Decomposed => NormalizationForm.FormD,
        NormalForm.CompatibilityComposed => NormalizationForm.FormKC,
        _ => NormalizationForm.FormKD,
    };
}

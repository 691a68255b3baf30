using System.Globalization;
using OrtPeft.Cli.Options;

namespace OrtPeft.Cli.Tests.Options;

/// <summary>Numbers mean the same in every culture, and what could mean two is refused.</summary>
public sealed class TypedNumberTests
{
    [Theory]
    [InlineData("2.5e-4", 2.5e-4)]
    [InlineData("2E2", 200)]
    [InlineData(".5", 0.5)]
    [InlineData("5.", 5)]
    [InlineData("+1", 1)]
    [InlineData("-0.5", -0.5)]
    [InlineData("0", 0)]
    [InlineData("0e5", 0)]
    [InlineData("007", 7)]
    public void Real_InEveryCulture_IsRead(string text, double expected)
    {
        foreach (var culture in (string[])["", "de-DE", "fa-IR", "sv-SE"])
        {
            var number = In(culture, () => TypedNumber.TryRead(text, out double n) ? n : (double?)null);
            Assert.Equal(expected, number);
        }
    }

    [Theory]
    [InlineData("2,5e-4")]
    [InlineData("1,5")]
    [InlineData("1.000,5")]
    [InlineData("1,000.5")]
    [InlineData("1,000")]
    [InlineData("1_000")]
    [InlineData("1 000")]
    [InlineData("1'000")]
    [InlineData("1\u00A0000")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("-∞")]
    [InlineData("1e999")]
    [InlineData("1e-999")]
    [InlineData("0x10")]
    [InlineData("1e")]
    [InlineData("1.5x")]
    [InlineData("1.5f")]
    [InlineData("50%")]
    [InlineData("(1)")]
    [InlineData("1-")]
    [InlineData("--1")]
    [InlineData(" 1")]
    [InlineData("1\n")]
    [InlineData("")]
    [InlineData("٣")]
    public void Real_ThatIsNone_IsRefusedInEveryCulture(string text)
    {
        foreach (var culture in (string[])["", "de-DE", "fr-FR"])
            Assert.False(In(culture, () => TypedNumber.TryRead(text, out double _)), $"{culture}: '{text}'");
    }

    [Theory]
    [InlineData("12", 12)]
    [InlineData("-3", -3)]
    public void Whole_IsRead(string text, int expected)
    {
        Assert.True(TypedNumber.TryRead(text, out int number));
        Assert.Equal(expected, number);
    }

    [Theory]
    [InlineData("1e3")]
    [InlineData("1.0")]
    [InlineData("1,000")]
    [InlineData("1_000")]
    [InlineData("0x10")]
    [InlineData("99999999999")]
    [InlineData(" 1")]
    public void Whole_ThatIsNone_IsRefused(string text) => Assert.False(TypedNumber.TryRead(text, out int _));

    [Theory]
    [InlineData("2,5e-4", "a number: write 2.5e-4")]
    [InlineData("0,7", "a number: write 0.7")]
    [InlineData("1,000", "a number: write 1.000 or 1000")]
    [InlineData("1_000.5", "a number: write 1000.5")]
    [InlineData("1,000,000", "a number: write 1000000")]
    [InlineData("many", "a number")]
    [InlineData("NaN", "a number")]
    public void Expected_SaysHowTheNumberIsWritten(string text, string said) =>
        Assert.Equal(said, TypedNumber.Expected<double>(text));

    [Fact]
    public void Expected_OfAWholeNumber_LeavesOutWhatIsNone() =>
        Assert.Equal("a whole number: write 1000", TypedNumber.Expected<int>("1,000"));

    private static T In<T>(string culture, Func<T> read)
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
        try
        {
            return read();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}

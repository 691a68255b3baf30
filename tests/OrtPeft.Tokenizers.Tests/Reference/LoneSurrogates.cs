using System.Text;

namespace OrtPeft.Tokenizers.Tests.Reference;

internal static class LoneSurrogates
{
    /// <summary>The text with U+FFFD for each lone surrogate, as it looks after a round trip through UTF-8.</summary>
    public static string WithoutLoneSurrogates(this string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            clean.Append(rune.ToString());
        return clean.ToString();
    }
}

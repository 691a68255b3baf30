using System.Globalization;
using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>The methods that ask what a text consists of; most are false for an empty one.</summary>
internal static class TextQuestions
{
    public static IEnumerable<Method<string>> Rows =>
    [
        new("isupper", "", static (s, _) => CaseMapping.IsUpper(s)),
        new("islower", "", static (s, _) => CaseMapping.IsLower(s)),
        new("istitle", "", static (s, _) => CaseMapping.IsTitle(s)),
        new("isascii", "", static (s, _) => Ascii.IsValid(s)),
        new("isspace", "", static (s, _) => s.Length > 0 && PythonText.IsBlank(s)),
        new("isalpha", "", static (s, _) => All(s, static (t, i) => char.IsLetter(t, i))),
        new("isdecimal", "", static (s, _) => All(s, static (t, i) => CharUnicodeInfo.GetDecimalDigitValue(t, i) >= 0)),
        new("isdigit", "", static (s, _) => All(s, static (t, i) => CharUnicodeInfo.GetDigitValue(t, i) >= 0)),
        new("isnumeric", "", static (s, _) => All(s, IsNumeric)),
        new("isalnum", "", static (s, _) => All(s, static (t, i) => char.IsLetter(t, i) || IsNumeric(t, i))),
        new("isidentifier", "", static (s, _) => IsIdentifier(s)),
        new("isprintable", "", static (s, _) => s.Length == 0 || All(s, PythonText.IsPrintable)),
    ];

    private static bool IsNumeric(string text, int at) => CharUnicodeInfo.GetNumericValue(text, at) != -1;

    private static bool IsIdentifier(string text) => text.Length > 0
        && !char.IsDigit(text, 0)
        && text.EnumerateRunes().All(PythonText.IsNamePart);

    private static bool All(string text, Func<string, int, bool> isOne)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (!isOne(text, at))
                return false;
            if (char.IsSurrogatePair(text, at))
                at++;
        }

        return text.Length > 0;
    }
}

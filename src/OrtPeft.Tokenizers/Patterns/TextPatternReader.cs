using OrtPeft.Tokenizers.Json;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>Reads <c>{"String": …}</c> and <c>{"Regex": …}</c>.</summary>
internal static class TextPatternReader
{
    /// <exception cref="TokenizerFormatException">It is neither, or the expression uses what is not supported.</exception>
    public static TextPattern Read(JsonField field)
    {
        if (field.Find("Regex") is not { } regex)
            return TextPatterns.Literal(field.Get("String").AsString());
        return ReadRegex(regex).FindAll;
    }

    /// <summary>Compiles an expression, for an error that names the file and the place.</summary>
    public static RegexPattern ReadRegex(JsonField regex, bool isRust = false)
    {
        try
        {
            return new RegexPattern(regex.AsString(), regex.Place, isRust);
        }
        catch (PatternException error)
        {
            throw regex.Place.Error($"{regex.Shown()}: {error.Message}", error);
        }
    }
}

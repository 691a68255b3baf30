namespace OrtPeft.Tokenizers;

/// <summary>
/// GPT-2's word pattern over Unicode scalar values, written out by hand because <c>Regex</c> classes see UTF-16 units:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal static class Gpt2Pattern
{
    /// <summary>Length in UTF-16 units of the first match in non-empty text; matches leave no gaps.</summary>
    public static int MatchLength(ReadOnlySpan<char> text)
    {
        if (text[0] == '\'' && ContractionLength(text) is > 0 and int contraction)
            return contraction;

        var first = CharacterClasses.At(text, 0, out var width);
        if (first != CharacterClass.Space)
            return RunEnd(text, width, first);

        var leadsWord = text[0] == ' ' && text.Length > 1;
        if (leadsWord && CharacterClasses.At(text, 1, out width) is not CharacterClass.Space and var second)
            return RunEnd(text, 1 + width, second);
        return SpaceLength(text);
    }

    /// <summary>
    /// The same where every number is a word of its own, so that white space before one keeps its last character.
    /// </summary>
    public static int MatchLengthOfSingleDigits(ReadOnlySpan<char> text)
    {
        var first = CharacterClasses.At(text, 0, out var width);
        if (first == CharacterClass.Number)
            return width;
        var end = RunEnd(text, 0, CharacterClass.Space);
        var isInside = end > 0 && end < text.Length;
        var leadsNumber = isInside && CharacterClasses.At(text, end, out _) == CharacterClass.Number;
        return leadsNumber ? end : MatchLength(text);
    }

    private static int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text.Length > 1 && text[1] is 's' or 't' or 'm' or 'd')
            return 2;
        if (text.StartsWith("'re") || text.StartsWith("'ve") || text.StartsWith("'ll"))
            return 3;
        return 0;
    }

    private static int RunEnd(ReadOnlySpan<char> text, int start, CharacterClass wanted)
    {
        var end = start;
        while (end < text.Length && CharacterClasses.At(text, end, out var width) == wanted)
            end += width;
        return end;
    }

    /// <summary>
    /// <c>\s+(?!\S)|\s+</c>: a run before a visible character gives up its last space, unless it has only one.
    /// </summary>
    private static int SpaceLength(ReadOnlySpan<char> text)
    {
        var end = RunEnd(text, 1, CharacterClass.Space);
        return end < text.Length && end > 1 ? end - 1 : end;
    }
}

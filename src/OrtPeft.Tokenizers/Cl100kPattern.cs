namespace OrtPeft.Tokenizers;

/// <summary>
/// The word pattern of OpenAI's cl100k, Llama 3 and Qwen2 over Unicode scalar values, written out by hand because
/// <c>Regex</c> classes see UTF-16 units. The families differ in how many digits make a word.
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,n}| ?[^\s\p{L}\p{N}]+[\r\n]*</c>, then
/// <c>|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal static class Cl100kPattern
{
    /// <summary>Length in UTF-16 units of the first match in non-empty text; matches leave no gaps.</summary>
    /// <param name="text">The text.</param>
    /// <param name="digits">How many numbers make a word at most.</param>
    public static int MatchLength(ReadOnlySpan<char> text, int digits)
    {
        if (text[0] == '\'' && ContractionLength(text) is > 0 and int contraction)
            return contraction;

        var first = CharacterClasses.At(text, 0, out var width);
        if (first == CharacterClass.Letter)
            return RunEnd(text, width, CharacterClass.Letter);
        if (first == CharacterClass.Number)
            return RunEnd(text, width, CharacterClass.Number, digits - 1);
        var mayLead = !IsNewLine(text[0]) && width < text.Length;
        if (mayLead && CharacterClasses.At(text, width, out var next) == CharacterClass.Letter)
            return RunEnd(text, width + next, CharacterClass.Letter);
        return first == CharacterClass.Other ? SymbolsEnd(text, width) : SpaceLength(text);
    }

    /// <summary>Case does not matter; the long s is another case of s.</summary>
    private static int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text.Length > 1 && text[1] is 's' or 'S' or 'ſ' or 't' or 'T' or 'm' or 'M' or 'd' or 'D')
            return 2;
        var pair = text.Length > 2 ? text.Slice(1, 2) : [];
        return Is(pair, "re") || Is(pair, "ve") || Is(pair, "ll") ? 3 : 0;

        static bool Is(ReadOnlySpan<char> pair, string ending) =>
            pair.Equals(ending, StringComparison.OrdinalIgnoreCase);
    }

    private static int RunEnd(ReadOnlySpan<char> text, int start, CharacterClass wanted, int most = int.MaxValue)
    {
        var end = start;
        for (; most > 0 && end < text.Length && CharacterClasses.At(text, end, out var width) == wanted; most--)
            end += width;
        return end;
    }

    /// <summary><c>[^\s\p{L}\p{N}]+[\r\n]*</c>, its first character passed.</summary>
    private static int SymbolsEnd(ReadOnlySpan<char> text, int start)
    {
        var end = RunEnd(text, start, CharacterClass.Other);
        while (end < text.Length && IsNewLine(text[end]))
            end++;
        return end;
    }

    /// <summary>A space before symbols; white space up to its last line break; else as in GPT-2.</summary>
    private static int SpaceLength(ReadOnlySpan<char> text)
    {
        var leads = text[0] == ' ' && text.Length > 1;
        if (leads && CharacterClasses.At(text, 1, out var width) == CharacterClass.Other)
            return SymbolsEnd(text, 1 + width);
        var end = RunEnd(text, 1, CharacterClass.Space);
        if (text[..end].LastIndexOfAny('\r', '\n') is >= 0 and int lineBreak)
            return lineBreak + 1;
        return end < text.Length && end > 1 ? end - 1 : end;
    }

    private static bool IsNewLine(char c) => c is '\r' or '\n';
}

using OrtPeft.Tokenizers.Alignment;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>A regular expression of a tokenizer's file. Immutable and safe for several threads.</summary>
internal sealed class RegexPattern
{
    private readonly Instruction[] _code;
    private readonly int _registers;
    private readonly SourcePlace _place;

    /// <exception cref="PatternException">The expression is malformed or uses what is not supported.</exception>
    public RegexPattern(string pattern, SourcePlace place, bool isRust = false)
    {
        _place = place;
        (_code, _registers) = PatternCompiler.Compile(PatternParser.Parse(pattern, isRust));
    }

    /// <summary>All matches; an empty one right after another match does not count.</summary>
    /// <exception cref="TokenizerFormatException">The expression takes too many steps on this text.</exception>
    public IReadOnlyList<TextMatch> FindAll(string text)
    {
        var matches = new List<TextMatch>();
        var matcher = new PatternMatcher(_code, _registers, text);
        var lastEnd = -1;
        for (var start = 0; start <= text.Length;)
        {
            var end = MatchAt(matcher, start);
            var isAccepted = end > start || (end == start && lastEnd != end);
            if (isAccepted)
            {
                matches.Add(new TextMatch(start, end));
                lastEnd = end;
            }

            if (end > start)
                start = end;
            else if (start < text.Length)
                start += char.IsHighSurrogate(text[start]) ? 2 : 1;
            else
                break;
        }

        return matches;
    }

    private int MatchAt(PatternMatcher matcher, int start)
    {
        try
        {
            return matcher.MatchAt(start);
        }
        catch (PatternException error)
        {
            throw _place.Error($"the pattern fails: {error.Message}", error);
        }
    }
}

using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>Parses <c>[…]</c> with ranges, nested classes, <c>&amp;&amp;</c> and POSIX names.</summary>
internal sealed class ClassParser(PatternCursor cursor, bool ignoresCase)
{
    private const int DepthLimit = 32;

    private int _depth;

    /// <summary>The set, of which the opening bracket was passed.</summary>
    public CodePointSet Parse()
    {
        if (++_depth > DepthLimit)
            throw new PatternException($"its classes are nested deeper than {DepthLimit}");
        var isNegated = cursor.Take("^");
        CodePointSet? both = null;
        var part = CodePointSet.Of();
        // A bracket right at the beginning is a character, if another one ends the class.
        if (cursor.Take("]"))
            part = cursor.Holds("]") ? One(']') : throw new PatternException("a class is empty");
        while (!cursor.Take("]"))
        {
            if (cursor.Take("&&"))
                (both, part) = (both is null ? part : both.And(part), CodePointSet.Of());
            else
                part = part.Or(Item());
        }

        _depth--;
        var set = both is null ? part : both.And(part);
        if (ignoresCase)
            set = CaseVariants.Of(set);
        return isNegated ? set.Not() : set;
    }

    private CodePointSet Item()
    {
        if (cursor.Take("[:"))
            return Posix();
        if (cursor.Take("["))
            return Parse();
        if (cursor.IsAtEnd)
            throw new PatternException("] is missing");
        if (Single(out var set) is not { } first)
            return set;
        var rangeSign = cursor.Position;
        var isRange = cursor.Take("-") && cursor.Peek() is not (']' or '[') && !cursor.IsAt("&&");
        if (!isRange)
        {
            cursor.Position = rangeSign;
            return One(first);
        }

        if (Single(out var after) is not { } last)
            return One(first).Or(One('-')).Or(after);
        return first <= last
            ? CodePointSet.Of((first, last + 1))
            : throw new PatternException("a range in a class runs backwards");
    }

    /// <summary>A code point, or null and a set.</summary>
    private int? Single(out CodePointSet set)
    {
        set = CodePointSet.Of();
        if (!cursor.Take("\\"))
            return cursor.Next();
        if (cursor.Take("b"))
            return '\b';
        if (cursor.Take("R") || cursor.Take("X"))
            throw new PatternException("\\R and \\X are not supported in a class");
        if (EscapeParser.TrySet(cursor) is not { } escaped)
            return EscapeParser.Code(cursor);
        set = escaped;
        return null;
    }

    private CodePointSet Posix()
    {
        var isNegated = cursor.Take("^");
        var name = cursor.Until(":]");
        var set = PropertyNames.Find(name)
            ?? throw new PatternException($"[:{TokenizerFormatException.Shorten(name)}:] is not supported");
        return isNegated ? set.Not() : set;
    }

    private static CodePointSet One(int code) => CodePointSet.Of((code, code + 1));
}

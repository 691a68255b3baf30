using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>Parses the part of a pattern after a backslash: a code point or a set.</summary>
internal static class EscapeParser
{
    /// <summary>The set that an escape stands for, or null where it is none; the backslash is passed.</summary>
    public static CodePointSet? TrySet(PatternCursor cursor)
    {
        var kind = cursor.Peek();
        var set = kind switch
        {
            's' or 'S' => PropertyNames.Space,
            'd' or 'D' => PropertyNames.Category("nd"),
            'w' or 'W' => PropertyNames.WordEscape,
            'h' or 'H' => PropertyNames.HexDigit,
            _ => null,
        };
        if (kind is 'p' or 'P')
            return Property(cursor);
        if (set is null)
            return null;
        cursor.Position++;
        return char.IsAsciiLetterUpper(kind) ? set.Not() : set;
    }

    /// <summary>The code point that an escape stands for; the backslash is passed.</summary>
    public static int Code(PatternCursor cursor)
    {
        var code = cursor.Next();
        return code switch
        {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'f' => '\f',
            'v' => '\v',
            'a' => '\a',
            'e' => 0x1B,
            'x' => Hex(cursor),
            'u' => Checked(cursor.TakeDigits(4, 16)),
            >= '0' and <= '7' => Octal(cursor),
            _ when code < 0x80 && char.IsAsciiLetterOrDigit((char)code) =>
                throw new PatternException($"\\{(char)code} is not supported"),
            _ => code,
        };
    }

    private static int Octal(PatternCursor cursor)
    {
        cursor.Position--;
        return cursor.TakeDigits(3, 8);
    }

    private static int Hex(PatternCursor cursor)
    {
        var isBraced = cursor.Take("{");
        var code = Checked(cursor.TakeDigits(isBraced ? 8 : 2, 16));
        if (isBraced && !cursor.Take("}"))
            throw new PatternException("} is missing");
        return code;
    }

    private static int Checked(int code) => code is (>= 0 and < 0xD800) or (>= 0xE000 and < 0x110000)
        ? code
        : throw new PatternException($"{code:X} is not a code point");

    private static CodePointSet Property(PatternCursor cursor)
    {
        var isNegated = cursor.Next() == 'P';
        if (!cursor.Take("{"))
            throw new PatternException("{ is missing after \\p");
        isNegated ^= cursor.Take("^");
        var name = cursor.Until("}");
        var set = PropertyNames.Find(name)
            ?? throw new PatternException($"the property \\p{{{TokenizerFormatException.Shorten(name)}}} is not supported");
        return isNegated ? set.Not() : set;
    }
}

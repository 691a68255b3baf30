using System.Globalization;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>A place in the text of a regular expression.</summary>
internal sealed class PatternCursor(string text)
{
    public int Position { get; set; }

    public bool IsAtEnd => Position >= text.Length;

    public bool IsAt(string expected) => string.CompareOrdinal(text, Position, expected, 0, expected.Length) == 0;

    /// <summary>Passes what is expected, if it is there.</summary>
    public bool Take(string expected)
    {
        var isThere = IsAt(expected);
        if (isThere)
            Position += expected.Length;
        return isThere;
    }

    /// <summary>Whether something comes later.</summary>
    public bool Holds(string sought) => text.IndexOf(sought, Position, StringComparison.Ordinal) >= 0;

    /// <summary>Passes one code point.</summary>
    public int Next()
    {
        if (IsAtEnd)
            throw new PatternException("it ends too early");
        var code = CodePoints.At(text, Position, out var width);
        Position += width;
        return code;
    }

    /// <summary>The next UTF-16 unit, or NUL at the end.</summary>
    public char Peek() => IsAtEnd ? '\0' : text[Position];

    /// <summary>The text up to an end mark, which is passed.</summary>
    public string Until(string end)
    {
        var at = text.IndexOf(end, Position, StringComparison.Ordinal);
        if (at < 0)
            throw new PatternException($"{end} is missing");
        var taken = text[Position..at];
        Position = at + end.Length;
        return taken;
    }

    /// <summary>Passes decimal digits, if there are any.</summary>
    public int? TakeNumber()
    {
        var start = Position;
        while (char.IsAsciiDigit(Peek()))
            Position++;
        if (start == Position)
            return null;
        return int.TryParse(text.AsSpan(start, Position - start), NumberStyles.None, CultureInfo.InvariantCulture, out var n)
            ? n
            : throw new PatternException($"the number {text[start..Position]} is too large");
    }

    /// <summary>Passes up to so many hexadecimal or octal digits.</summary>
    public int TakeDigits(int most, int radix)
    {
        var value = 0;
        var count = 0;
        while (count < most && DigitOf(Peek(), radix) is { } digit)
        {
            value = (value * radix) + digit;
            Position++;
            count++;
        }

        return count == 0 ? throw new PatternException("digits are missing after a backslash") : value;
    }

    private static int? DigitOf(char c, int radix)
    {
        var digit = char.IsAsciiHexDigit(c) ? Convert.ToInt32(c.ToString(), 16) : radix;
        return digit < radix ? digit : null;
    }
}

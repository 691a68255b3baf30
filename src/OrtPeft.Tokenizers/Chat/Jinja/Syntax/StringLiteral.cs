using System.Globalization;
using System.Text;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>Python's escapes in string literals; unknown ones stay as they are written.</summary>
internal static class StringLiteral
{
    private const int AsciiLimit = 0x80;

    public static string Unescape(string literal, int line)
    {
        if (!literal.Contains('\\', StringComparison.Ordinal))
            return literal;
        var text = new StringBuilder(literal.Length);
        for (var at = 0; at < literal.Length;)
        {
            var c = literal[at++];
            if (c != '\\')
                text.Append(c);
            else
                at += Append(text, literal, at, line);
        }

        return text.ToString();
    }

    /// <summary>Appends what the escape after a backslash stands for; returns how many characters it took.</summary>
    private static int Append(StringBuilder text, string literal, int at, int line)
    {
        var kind = literal[at];
        switch (kind)
        {
            case '\n':
                return 1;
            case 'x':
                return AppendHex(text, literal, at, 2, line);
            case 'u':
                return AppendHex(text, literal, at, 4, line);
            case 'U':
                return AppendHex(text, literal, at, 8, line);
            case 'N':
                throw Error("a character by its name, \\N{…}, is not supported", line);
            case >= '0' and <= '7':
                return AppendOctal(text, literal, at);
        }

        var plain = "\\'\"abfnrtv".IndexOf(kind, StringComparison.Ordinal);
        if (plain >= 0)
            text.Append("\\'\"\a\b\f\n\r\t\v"[plain]);
        else if (kind < AsciiLimit)
            text.Append('\\').Append(kind);
        else
            return AppendSpelled(text, literal, at);
        return 1;
    }

    /// <summary>Jinja spells a character beyond ASCII as an escape first, whose backslash is then escaped.</summary>
    private static int AppendSpelled(StringBuilder text, string literal, int at)
    {
        var length = char.IsSurrogatePair(literal, at) ? 2 : 1;
        var code = length == 2 ? char.ConvertToUtf32(literal, at) : literal[at];
        text.Append('\\').Append(code switch
        {
            <= 0xFF => $"x{code:x2}",
            <= 0xFFFF => $"u{code:x4}",
            _ => $"U{code:x8}",
        });
        return length;
    }

    private static int AppendOctal(StringBuilder text, string literal, int at)
    {
        var end = at;
        while (end < literal.Length && end < at + 3 && literal[end] is >= '0' and <= '7')
            end++;
        text.Append((char)Convert.ToInt32(literal[at..end], 8));
        return end - at;
    }

    private static int AppendHex(StringBuilder text, string literal, int at, int digits, int line)
    {
        var isThere = at + digits < literal.Length
            & int.TryParse(
                literal.AsSpan(Math.Min(at + 1, literal.Length), Math.Min(digits, literal.Length - at - 1)),
                NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code);
        var isCharacter = isThere && code is >= 0 and <= 0x10FFFF;
        if (!isCharacter)
            throw Error($"\\{literal[at]} needs {digits} hexadecimal digits of a character", line);
        if (code > 0xFFFF)
            text.Append(char.ConvertFromUtf32(code));
        else
            text.Append((char)code);
        return digits + 1;
    }

    private static JinjaException Error(string message, int line) => new(message, JinjaFailure.Syntax, line);
}

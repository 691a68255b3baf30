using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>Cuts the inside of one tag into names, numbers, strings and operators, up to the tag's end.</summary>
internal sealed class WordLexer(string source, int position, int line, bool isTag)
{
    private static readonly string[] Operators =
    [
        "//", "**", "==", "!=", ">=", "<=",
        "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ",", ";",
    ];

    private readonly Stack<char> _open = new();
    private readonly string _end = isTag ? "%}" : "}}";

    public int Position { get; private set; } = position;

    public int Line { get; private set; } = line;

    /// <summary>The sign before the tag's end: <c>-</c>, <c>+</c>, or a blank for none.</summary>
    public char EndSign { get; private set; } = ' ';

    public int EndLength => _end.Length + (EndSign == ' ' ? 0 : 1);

    public void ReadInto(List<Token> tokens)
    {
        while (!AtEnd())
        {
            if (Position >= source.Length)
            {
                tokens.Add(new Token(TokenKind.End, "", Line));
                throw new JinjaException("unexpected end of template", JinjaFailure.Syntax, Line);
            }

            var next = source[Position];
            if (PythonText.IsSpace(next))
                Advance(1);
            else
                tokens.Add(ReadWord(next));
        }
    }

    private bool AtEnd()
    {
        if (_open.Count > 0)
            return false;
        var rest = source.AsSpan(Position);
        var signed = rest.Length > 0 && (rest[0] == '-' || (rest[0] == '+' && isTag));
        if (signed && rest[1..].StartsWith(_end, StringComparison.Ordinal))
        {
            EndSign = rest[0];
            return true;
        }

        return rest.StartsWith(_end, StringComparison.Ordinal);
    }

    private Token ReadWord(char next)
    {
        var start = Position;
        var afterDot = start > 0 && source[start - 1] == '.';
        if (NumberLiteral.Read(source, start, allowsFraction: !afterDot) is { } number)
        {
            Advance(number.Length);
            return new Token(TokenKind.Number, source[start..Position], Line, number.Value);
        }

        if (NameLength(start) is > 0 and var length)
        {
            Advance(length);
            return new Token(TokenKind.Name, source[start..Position], Line);
        }

        if (next is '"' or '\'')
            return ReadString(next);
        foreach (var op in Operators)
        {
            if (!source.AsSpan(start).StartsWith(op, StringComparison.Ordinal))
                continue;
            Balance(op);
            Advance(op.Length);
            return new Token(TokenKind.Operator, op, Line);
        }

        throw Error($"unexpected char {PythonText.Repr(next.ToString())} at {start}");
    }

    private Token ReadString(char quote)
    {
        var end = Position + 1;
        while (end < source.Length && source[end] != quote)
            end += source[end] == '\\' ? 2 : 1;
        if (end >= source.Length)
            throw Error($"unexpected char {PythonText.Repr(quote.ToString())} at {Position}: the string has no end");
        var line = Line;
        var literal = source[(Position + 1)..end];
        Advance(end + 1 - Position);
        return new Token(TokenKind.String, literal, line, StringLiteral.Unescape(literal, line));
    }

    private int NameLength(int start)
    {
        var at = start;
        while (at < source.Length && Rune.TryGetRuneAt(source, at, out var rune) && PythonText.IsNamePart(rune))
            at += rune.Utf16SequenceLength;
        return at - start;
    }

    private void Balance(string op)
    {
        switch (op)
        {
            case "{":
                _open.Push('}');
                break;
            case "(":
                _open.Push(')');
                break;
            case "[":
                _open.Push(']');
                break;
            case "}" or ")" or "]":
                if (!_open.TryPop(out var expected))
                    throw Error($"unexpected '{op}'");
                if (expected != op[0])
                    throw Error($"unexpected '{op}', expected '{expected}'");
                break;
        }
    }

    private void Advance(int count)
    {
        Line += source.AsSpan(Position, count).Count('\n');
        Position += count;
    }

    private JinjaException Error(string message) => new(message, JinjaFailure.Syntax, Line);
}

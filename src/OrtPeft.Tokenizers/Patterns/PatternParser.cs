using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Patterns;

/// <summary>
/// Parses the regular expressions of <c>tokenizer.json</c>, which are Oniguruma's, over code points. Captures are groups
/// and no more; what cannot be told without them (back references, calls, conditions) is refused by name.
/// </summary>
/// <seealso href="https://github.com/kkos/oniguruma/blob/master/doc/RE">Oniguruma's syntax</seealso>
internal sealed class PatternParser
{
    private const int DepthLimit = 64;

    /// <summary>Oniguruma's own bound of <c>{n,m}</c>.</summary>
    private const int RepeatLimit = 100_000;

    private static readonly CodePointSet NewLine = CodePointSet.Of(('\n', '\n' + 1));
    private static readonly CodePointSet LineBreaks = CodePointSet.Of(('\n', '\r' + 1), (0x85, 0x86), (0x2028, 0x202A));

    private readonly PatternCursor _cursor;
    private bool _ignoresCase;
    private bool _dotTakesNewLine;
    private bool _isExtended;
    private int _depth;

    private readonly bool _isRust;

    private PatternParser(string pattern, bool isRust)
    {
        _cursor = new PatternCursor(pattern);
        _isRust = isRust;
    }

    /// <param name="pattern">The expression.</param>
    /// <param name="isRust">Whether it is Rust's, as tiktoken's are: there <c>{n,m}+</c> gives nothing back, and <c>^</c>
    /// and <c>$</c> are the ends of the text.</param>
    /// <exception cref="PatternException">The expression is malformed or not supported.</exception>
    public static PatternNode Parse(string pattern, bool isRust = false)
    {
        var parser = new PatternParser(pattern, isRust);
        var node = parser.Choice();
        return parser._cursor.IsAtEnd ? node : throw new PatternException("a ) is not matched");
    }

    private PatternNode Choice()
    {
        if (++_depth > DepthLimit)
            throw new PatternException($"its groups are nested deeper than {DepthLimit}");
        (bool, bool, bool) options = (_ignoresCase, _dotTakesNewLine, _isExtended);
        var branches = new List<PatternNode> { Branch() };
        while (_cursor.Take("|"))
            branches.Add(Branch());
        (_ignoresCase, _dotTakesNewLine, _isExtended) = options;
        _depth--;
        return branches is [var only] ? only : new PatternNode.Choice(branches);
    }

    private PatternNode Branch()
    {
        var parts = new List<PatternNode>();
        while (!_cursor.IsAtEnd && _cursor.Peek() is not ('|' or ')'))
        {
            if (_isExtended && SkipsBlank())
                continue;
            var atom = Atom();
            if (atom is not null)
                parts.Add(Repeated(atom));
        }

        return parts is [var only] ? only : new PatternNode.Sequence(parts);
    }

    private bool SkipsBlank()
    {
        if (_cursor.Take("#"))
        {
            while (!_cursor.IsAtEnd && _cursor.Next() != '\n')
            {
            }

            return true;
        }

        var isBlank = _cursor.Peek() is ' ' or '\t' or '\n' or '\r' or '\f' or '\v';
        if (isBlank)
            _cursor.Next();
        return isBlank;
    }

    private PatternNode? Atom()
    {
        var code = _cursor.Next();
        return code switch
        {
            '(' => Group(),
            '[' => Set(new ClassParser(_cursor, _ignoresCase).Parse()),
            '.' => Set(_dotTakesNewLine ? CodePointSet.All : NewLine.Not()),
            '^' => new PatternNode.Anchor(_isRust ? AnchorKind.TextStart : AnchorKind.LineStart),
            '$' => new PatternNode.Anchor(_isRust ? AnchorKind.TextEnd : AnchorKind.LineEnd),
            '\\' => Escape(),
            '*' or '+' or '?' => throw new PatternException($"nothing stands before {(char)code}"),
            _ => Literal(code),
        };
    }

    private PatternNode.OneOf Literal(int code)
    {
        var set = CodePointSet.Of((code, code + 1));
        return Set(_ignoresCase ? CaseVariants.Of(set) : set);
    }

    private static PatternNode.OneOf Set(CodePointSet set) => new PatternNode.OneOf(new CodePointClass(set));

    private PatternNode Escape()
    {
        AnchorKind? anchor = _cursor.Peek() switch
        {
            'A' => AnchorKind.TextStart,
            'z' => AnchorKind.TextEnd,
            'Z' => AnchorKind.TextEndOrLastNewLine,
            'b' => AnchorKind.WordBoundary,
            'B' => AnchorKind.NoWordBoundary,
            _ => null,
        };
        if (anchor is { } kind)
        {
            _cursor.Next();
            return new PatternNode.Anchor(kind);
        }

        if (_cursor.Take("R"))
            return LineBreak();
        if (_cursor.Take("N"))
            return Set(NewLine.Not());
        if (_cursor.Take("O"))
            return Set(CodePointSet.All);
        if (char.IsAsciiDigit(_cursor.Peek()) && _cursor.Peek() != '0')
            throw new PatternException("back references are not supported");
        return EscapeParser.TrySet(_cursor) is { } set ? Set(set) : Literal(EscapeParser.Code(_cursor));
    }

    private static PatternNode.Atomic LineBreak()
    {
        PatternNode pair = new PatternNode.Sequence(
            [Set(CodePointSet.Of(('\r', '\r' + 1))), Set(NewLine)]);
        return new PatternNode.Atomic(new PatternNode.Choice([pair, Set(LineBreaks)]));
    }

    /// <summary>Parses the group after an opening bracket; null for a comment and for options that hold from there
    /// on.</summary>
    private PatternNode? Group()
    {
        if (!_cursor.Take("?"))
            return Closed(Choice());
        if (_cursor.Take("#"))
        {
            _cursor.Until(")");
            return null;
        }

        if (_cursor.Take(":"))
            return Closed(Choice());
        if (_cursor.Take(">"))
            return new PatternNode.Atomic(Closed(Choice()));
        if (_cursor.Take("="))
            return new PatternNode.Look(Closed(Choice()), IsBehind: false, IsNegative: false);
        if (_cursor.Take("!"))
            return new PatternNode.Look(Closed(Choice()), IsBehind: false, IsNegative: true);
        if (_cursor.Take("<="))
            return new PatternNode.Look(Closed(Choice()), IsBehind: true, IsNegative: false);
        if (_cursor.Take("<!"))
            return new PatternNode.Look(Closed(Choice()), IsBehind: true, IsNegative: true);
        if (_cursor.Take("<"))
        {
            _cursor.Until(">");
            return Closed(Choice());
        }

        return Options();
    }

    private PatternNode Closed(PatternNode body) =>
        _cursor.Take(")") ? body : throw new PatternException("a ( is not closed");

    private PatternNode? Options()
    {
        (bool, bool, bool) outer = (_ignoresCase, _dotTakesNewLine, _isExtended);
        var turnsOn = true;
        while (!_cursor.IsAt(":") && !_cursor.IsAt(")"))
        {
            var option = _cursor.Next();
            switch (option)
            {
                case '-':
                    turnsOn = false;
                    break;
                case 'i':
                    _ignoresCase = turnsOn;
                    break;
                case 'm':
                    _dotTakesNewLine = turnsOn;
                    break;
                case 'x':
                    _isExtended = turnsOn;
                    break;
                default:
                    throw new PatternException($"the group (?{char.ConvertFromUtf32(option)} is not supported");
            }
        }

        if (_cursor.Take(")"))
        {
            // In Oniguruma the rest of the group belongs to the options, with the branches that follow.
            return Choice();
        }

        _cursor.Take(":");
        var body = Closed(Choice());
        (_ignoresCase, _dotTakesNewLine, _isExtended) = outer;
        return body;
    }

    private PatternNode Repeated(PatternNode node)
    {
        while (true)
        {
            if (Sign() is { } sign)
                node = new PatternNode.Repeat(node, sign.Least, sign.Most, Kind(takesPlus: true));
            else if (Interval() is { } interval)
                node = OfInterval(node, interval.Least, interval.Most);
            else
                return node;
        }
    }

    private (int Least, int Most)? Sign()
    {
        if (_cursor.Take("*"))
            return (0, int.MaxValue);
        if (_cursor.Take("+"))
            return (1, int.MaxValue);
        return _cursor.Take("?") ? (0, 1) : null;
    }

    /// <summary>As in Ruby, <c>{n}?</c> is an optional <c>{n}</c>, and <c>{n,m}+</c> repeats <c>{n,m}</c>.</summary>
    private PatternNode.Repeat OfInterval(PatternNode node, int least, int most) => new(
        node, least, most, least == most && !_isRust ? RepeatKind.Greedy : Kind(takesPlus: _isRust));

    private RepeatKind Kind(bool takesPlus)
    {
        if (_cursor.Take("?"))
            return RepeatKind.Lazy;
        return takesPlus && _cursor.Take("+") ? RepeatKind.Possessive : RepeatKind.Greedy;
    }

    /// <summary><c>{n}</c>, <c>{n,}</c>, <c>{,m}</c> or <c>{n,m}</c>; a brace before anything else is a character.</summary>
    private (int Least, int Most)? Interval()
    {
        var start = _cursor.Position;
        if (!_cursor.Take("{"))
            return null;
        var least = _cursor.TakeNumber();
        var isOpen = _cursor.Take(",");
        var most = isOpen ? _cursor.TakeNumber() : least;
        if (!_cursor.Take("}") || (least is null && most is null))
        {
            _cursor.Position = start;
            return null;
        }

        if (Math.Max(least ?? 0, most ?? 0) > RepeatLimit)
            throw new PatternException($"it repeats more than {RepeatLimit} times");
        return most < least
            ? throw new PatternException($"{{{least},{most}}} runs backwards")
            : (least ?? 0, most ?? int.MaxValue);
    }
}

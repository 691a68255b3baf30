using OrtPeft.Tokenizers.Chat.Jinja.Tree;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>
/// Operators by precedence, as Jinja has it, which is not Python's: <c>~</c> binds tighter than <c>+</c>, powers
/// associate to the left, and a sign binds tighter than a power or a filter.
/// </summary>
internal sealed class ExpressionParser
{
    private static readonly string[] Comparators = ["==", "!=", "<", "<=", ">", ">="];

    private readonly TokenStream _stream;
    private readonly PrimaryParser _primary;

    public ExpressionParser(TokenStream stream, NamesInUse names)
    {
        _stream = stream;
        _primary = new PrimaryParser(stream, names, this);
    }

    public PrimaryParser Primary => _primary;

    public Expression Parse(bool withConditional = true)
    {
        _stream.CheckDepth();
        return withConditional ? ParseConditional() : ParseOr();
    }

    /// <summary>An expression, or a tuple without parentheses where commas follow.</summary>
    public Expression ParseTuple(bool withConditional = true, string? endsAt = null, bool isInParentheses = false)
    {
        var line = _stream.Current.Line;
        var items = new List<Expression>();
        var isTuple = false;
        while (!IsTupleEnd(endsAt))
        {
            items.Add(Parse(withConditional));
            if (!_stream.SkipOperator(","))
                break;
            isTuple = true;
        }

        if (isTuple)
            return new TupleLiteral(items, line);
        if (items.Count > 0)
            return items[0];
        return isInParentheses
            ? new TupleLiteral(items, line)
            : throw _stream.Error($"Expected an expression, got '{_stream.Current.Described}'");
    }

    private bool IsTupleEnd(string? endsAt) =>
        _stream.Current.Kind is TokenKind.PrintEnd or TokenKind.TagEnd
        || _stream.Current.Is(")")
        || (endsAt is not null && _stream.Current.IsName(endsAt));

    private Expression ParseConditional()
    {
        var line = _stream.Current.Line;
        var value = ParseOr();
        while (_stream.SkipName("if"))
        {
            var test = ParseOr();
            var otherwise = _stream.SkipName("else") ? ParseConditional() : null;
            value = new Conditional(test, value, otherwise, line);
        }

        return value;
    }

    private Expression ParseOr()
    {
        var left = ParseAnd();
        while (_stream.Current is { } token && _stream.SkipName("or"))
            left = new Logical(isAnd: false, left, ParseAnd(), token.Line);
        return left;
    }

    private Expression ParseAnd()
    {
        var left = ParseNot();
        while (_stream.Current is { } token && _stream.SkipName("and"))
            left = new Logical(isAnd: true, left, ParseNot(), token.Line);
        return left;
    }

    private Expression ParseNot()
    {
        _stream.CheckDepth();
        var line = _stream.Current.Line;
        return _stream.SkipName("not") ? new Not(ParseNot(), line) : ParseComparison();
    }

    private Expression ParseComparison()
    {
        var line = _stream.Current.Line;
        var first = ParseSum();
        var rest = new List<(string Op, Expression Operand)>();
        while (Comparator() is { } op)
            rest.Add((op, ParseSum()));
        return rest.Count == 0 ? first : new Comparison(first, rest, line);
    }

    private string? Comparator()
    {
        var token = _stream.Current;
        if (token.Kind == TokenKind.Operator && Comparators.Contains(token.Text))
            return _stream.Next().Text;
        if (_stream.SkipName("in"))
            return "in";
        if (!token.IsName("not") || !_stream.Ahead.IsName("in"))
            return null;
        _stream.Next();
        _stream.Next();
        return "not in";
    }

    private Expression ParseSum() => ParseLeft(["+", "-"], ParseConcatenation);

    private Expression ParseConcatenation()
    {
        var line = _stream.Current.Line;
        var parts = new List<Expression> { ParseProduct() };
        while (_stream.SkipOperator("~"))
            parts.Add(ParseProduct());
        return parts.Count == 1 ? parts[0] : new Concatenation(parts, line);
    }

    private Expression ParseProduct() => ParseLeft(["*", "/", "//", "%"], ParsePower);

    private Expression ParsePower() => ParseLeft(["**"], () => ParseUnary(withFilter: true));

    private Expression ParseLeft(string[] operators, Func<Expression> operand)
    {
        var left = operand();
        while (_stream.Current is { Kind: TokenKind.Operator } token && operators.Contains(token.Text))
        {
            _stream.Next();
            left = new Binary(token.Text, left, operand(), token.Line);
        }

        return left;
    }

    private Expression ParseUnary(bool withFilter)
    {
        _stream.CheckDepth();
        var token = _stream.Current;
        var isSigned = _stream.SkipOperator("-") || _stream.SkipOperator("+");
        var value = isSigned
            ? new Unary(token.Text, ParseUnary(withFilter: false), token.Line)
            : _primary.Parse();
        value = _primary.ParsePostfix(value);
        return withFilter ? _primary.ParseFilters(value) : value;
    }
}

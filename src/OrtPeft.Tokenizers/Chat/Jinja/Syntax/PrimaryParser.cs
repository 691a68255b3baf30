using System.Text;
using OrtPeft.Tokenizers.Chat.Jinja.Tree;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>Names, literals and what follows them: attributes, items, calls, filters and tests.</summary>
internal sealed class PrimaryParser(TokenStream stream, NamesInUse names, ExpressionParser expressions)
{
    private readonly ArgumentParser _arguments = new(stream, expressions);

    public Expression Parse()
    {
        stream.CheckDepth();
        var token = stream.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                stream.Next();
                return Named(token);
            case TokenKind.String:
                return Strings();
            case TokenKind.Number:
                stream.Next();
                return new Constant(token.Value, token.Line);
        }

        if (stream.SkipOperator("("))
        {
            var inner = expressions.ParseTuple(isInParentheses: true);
            stream.ExpectOperator(")");
            return inner;
        }

        if (stream.SkipOperator("["))
            return new ListLiteral(Items("]", () => expressions.Parse()), token.Line);
        return stream.SkipOperator("{")
            ? new DictLiteral(Items("}", Pair), token.Line)
            : throw stream.Error($"unexpected '{token.Described}'");
    }

    public Expression ParsePostfix(Expression value)
    {
        while (true)
        {
            if (stream.Current.Is("."))
                value = Attribute(value);
            else if (stream.Current.Is("["))
                value = Item(value);
            else if (stream.Current.Is("("))
                value = Call(value);
            else
                return value;
        }
    }

    public Expression ParseFilters(Expression value)
    {
        while (true)
        {
            if (stream.Current.Is("|"))
                value = Filter(value);
            else if (stream.Current.IsName("is"))
                value = Test(value);
            else if (stream.Current.Is("("))
                value = Call(value);
            else
                return value;
        }
    }

    /// <summary>Filters on a block: <paramref name="isFirst"/> where the first comes without a bar.</summary>
    public Expression? ParseBlockFilters(bool isFirst)
    {
        Expression? filter = null;
        while (isFirst || stream.Current.Is("|"))
        {
            filter = Filter(filter ?? new CapturedText(stream.Current.Line), hasBar: !isFirst);
            isFirst = false;
        }

        return filter;
    }

    private Expression Named(Token token)
    {
        switch (token.Text)
        {
            case "true" or "True":
                return new Constant(true, token.Line);
            case "false" or "False":
                return new Constant(false, token.Line);
            case "none" or "None":
                return new Constant(null, token.Line);
            default:
                names.Add(token.Text);
                return new NameReference(token.Text, token.Line);
        }
    }

    private Constant Strings()
    {
        var line = stream.Current.Line;
        var text = new StringBuilder();
        while (stream.Current is { Kind: TokenKind.String, Value: string part })
        {
            text.Append(part);
            stream.Next();
        }

        return new Constant(text.ToString(), line);
    }

    private List<T> Items<T>(string end, Func<T> item)
    {
        var items = new List<T>();
        while (!stream.SkipOperator(end))
        {
            if (items.Count > 0)
                stream.ExpectOperator(",");
            if (stream.SkipOperator(end))
                break;
            items.Add(item());
        }

        return items;
    }

    private (Expression Key, Expression Value) Pair()
    {
        var key = expressions.Parse();
        stream.ExpectOperator(":");
        return (key, expressions.Parse());
    }

    private Expression Attribute(Expression value)
    {
        var line = stream.Next().Line;
        var name = stream.Next();
        return name switch
        {
            { Kind: TokenKind.Name } => new AttributeAccess(value, name.Text, line),
            { Kind: TokenKind.Number, Value: System.Numerics.BigInteger } =>
                new ItemAccess(value, new Constant(name.Value, line), line),
            _ => throw new JinjaException("expected name or number", JinjaFailure.Syntax, name.Line),
        };
    }

    private Expression Item(Expression value)
    {
        var line = stream.Next().Line;
        var start = stream.Current.Is(":") ? null : expressions.Parse();
        if (start is not null && stream.Current.Is(","))
        {
            var keys = new List<Expression> { start };
            while (stream.SkipOperator(","))
                keys.Add(expressions.Parse());
            stream.ExpectOperator("]");
            return new ItemAccess(value, new TupleLiteral(keys, line), line);
        }

        if (start is not null && stream.SkipOperator("]"))
            return new ItemAccess(value, start, line);
        stream.ExpectOperator(":");
        var stop = IsBound() ? expressions.Parse() : null;
        var step = stream.SkipOperator(":") && IsBound() ? expressions.Parse() : null;
        stream.ExpectOperator("]");
        return new SliceAccess(value, start, stop, step, line);

        bool IsBound() => !stream.Current.Is(":") && !stream.Current.Is("]");
    }

    private Call Call(Expression function)
    {
        var line = stream.Current.Line;
        return new Call(function, _arguments.Parse(), line);
    }

    private FilterCall Filter(Expression value, bool hasBar = true)
    {
        if (hasBar)
            stream.ExpectOperator("|");
        var line = stream.Current.Line;
        var name = DottedName();
        return new FilterCall(value, name, stream.Current.Is("(") ? _arguments.Parse() : CallArguments.None, line);
    }

    private Expression Test(Expression value)
    {
        var line = stream.Next().Line;
        var isNegated = stream.SkipName("not");
        var test = new TestCall(value, DottedName(), TestArguments(), line);
        return isNegated ? new Not(test, line) : test;
    }

    /// <summary>A test may have its one argument without parentheses: <c>x is divisibleby 3</c>.</summary>
    private CallArguments TestArguments()
    {
        var token = stream.Current;
        if (token.Is("("))
            return _arguments.Parse();
        var begins = token.Kind is TokenKind.Name or TokenKind.String or TokenKind.Number
            || token.Is("[") || token.Is("{");
        if (!begins || token.IsName("else") || token.IsName("or") || token.IsName("and"))
            return CallArguments.None;
        if (token.IsName("is"))
            throw stream.Error("You cannot chain multiple tests with is");
        return new CallArguments([ParsePostfix(Parse())], []);
    }

    private string DottedName()
    {
        var name = stream.Expect(TokenKind.Name, "name").Text;
        while (stream.SkipOperator("."))
            name += "." + stream.Expect(TokenKind.Name, "name").Text;
        return name;
    }
}

using OrtPeft.Tokenizers.Chat.Jinja.Tree;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>The arguments of a call, which come in Python's order: by place, by name, <c>*</c>, <c>**</c>.</summary>
internal sealed class ArgumentParser(TokenStream stream, ExpressionParser expressions)
{
    public CallArguments Parse()
    {
        stream.ExpectOperator("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        Expression? rest = null;
        Expression? restNamed = null;
        var isFirst = true;
        while (!stream.Current.Is(")"))
        {
            if (!isFirst)
                stream.ExpectOperator(",");
            if (stream.Current.Is(")"))
                break;
            isFirst = false;
            if (stream.SkipOperator("*"))
            {
                Ensure(rest is null && restNamed is null);
                rest = expressions.Parse();
            }
            else if (stream.SkipOperator("**"))
            {
                Ensure(restNamed is null);
                restNamed = expressions.Parse();
            }
            else if (stream.Current.Kind == TokenKind.Name && stream.Ahead.Is("="))
            {
                Ensure(restNamed is null);
                var name = stream.Next().Text;
                stream.Next();
                named.Add((name, expressions.Parse()));
            }
            else
            {
                Ensure(rest is null && restNamed is null && named.Count == 0);
                positional.Add(expressions.Parse());
            }
        }

        stream.ExpectOperator(")");
        return new CallArguments(positional, named, rest, restNamed);
    }

    private void Ensure(bool isInOrder)
    {
        if (!isInOrder)
            throw stream.Error("invalid syntax for function call expression");
    }
}

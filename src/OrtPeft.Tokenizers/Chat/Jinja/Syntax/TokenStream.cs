using System.Runtime.CompilerServices;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>The tokens of a template with a place in them.</summary>
internal sealed class TokenStream(List<Token> tokens)
{
    private int _at;

    public Token Current => tokens[_at];

    public Token Ahead => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public Token Next()
    {
        var current = Current;
        if (current.Kind != TokenKind.End)
            _at++;
        return current;
    }

    public bool SkipOperator(string op)
    {
        var isThere = Current.Is(op);
        if (isThere)
            Next();
        return isThere;
    }

    public bool SkipName(string name)
    {
        var isThere = Current.IsName(name);
        if (isThere)
            Next();
        return isThere;
    }

    public Token Expect(TokenKind kind, string described)
    {
        if (Current.Kind != kind)
            throw Unexpected(described);
        return Next();
    }

    public void ExpectOperator(string op)
    {
        if (!SkipOperator(op))
            throw Unexpected(op);
    }

    public void ExpectName(string name)
    {
        if (!SkipName(name))
            throw Unexpected(name);
    }

    public JinjaException Error(string message) => new(message, JinjaFailure.Syntax, Current.Line);

    /// <summary>Refuses nesting that the stack has no room for.</summary>
    public void CheckDepth()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new JinjaException("the template is nested too deeply", JinjaFailure.Limit, Current.Line);
    }

    private JinjaException Unexpected(string expected) => Current.Kind == TokenKind.End
        ? Error($"unexpected end of template, expected '{expected}'.")
        : Error($"expected token '{expected}', got '{Current.Described}'");
}

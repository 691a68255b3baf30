using OrtPeft.Tokenizers.Chat.Jinja.Tree;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>The targets of assignments: names, tuples of them, and for <c>set</c> the attributes of
/// namespaces.</summary>
internal sealed class TargetParser(TokenStream stream)
{
    private static readonly string[] Constants = ["true", "false", "none", "True", "False", "None"];

    public string ParseName()
    {
        var token = stream.Expect(TokenKind.Name, "name");
        return Checked(token).Text;
    }

    public Expression Parse(bool withNamespace, string? endsAt = null)
    {
        var line = stream.Current.Line;
        var items = new List<Expression>();
        var isTuple = false;
        while (!IsEnd(endsAt))
        {
            items.Add(ParseOne(withNamespace));
            if (!stream.SkipOperator(","))
                break;
            isTuple = true;
        }

        if (isTuple)
            return new TupleLiteral(items, line);
        return items.Count > 0 ? items[0] : throw stream.Error("Expected a name to assign to");
    }

    private bool IsEnd(string? endsAt) => stream.Current.Kind == TokenKind.TagEnd
        || stream.Current.Is(")")
        || stream.Current.Is("=")
        || (endsAt is not null && stream.Current.IsName(endsAt));

    private Expression ParseOne(bool withNamespace)
    {
        stream.CheckDepth();
        if (stream.SkipOperator("("))
        {
            var inner = Parse(withNamespace);
            stream.ExpectOperator(")");
            return inner;
        }

        var name = Checked(stream.Expect(TokenKind.Name, "name"));
        return withNamespace && stream.SkipOperator(".")
            ? new NamespaceReference(name.Text, stream.Expect(TokenKind.Name, "name").Text, name.Line)
            : new NameReference(name.Text, name.Line);
    }

    private static Token Checked(Token name) => Constants.Contains(name.Text)
        ? throw new JinjaException($"can't assign to '{name.Text}'", JinjaFailure.Syntax, name.Line)
        : name;
}

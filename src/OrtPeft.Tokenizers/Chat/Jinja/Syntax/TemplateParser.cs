using OrtPeft.Tokenizers.Chat.Jinja.Tree;

namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>Reads a whole template: text, prints and tags, each tag up to its end.</summary>
internal sealed class TemplateParser
{
    private readonly TokenStream _stream;
    private readonly ExpressionParser _expressions;
    private readonly TagParser _tags;
    private readonly Stack<string> _open = new();

    private TemplateParser(TokenStream stream)
    {
        var names = new NamesInUse();
        _stream = stream;
        _expressions = new ExpressionParser(stream, names);
        _tags = new TagParser(stream, _expressions, names, this);
    }

    public static Body Parse(string template)
    {
        var parser = new TemplateParser(new TokenStream(Lexer.Read(template)));
        return parser.ParseUntil([]);
    }

    /// <summary>The body of a tag whose name is being read, up to one of its ends, which stays to be read.</summary>
    public Body ParseBody(params string[] ends)
    {
        _stream.SkipOperator(":");
        _stream.Expect(TokenKind.TagEnd, "end of statement block");
        return ParseUntil(ends);
    }

    /// <summary>The body of a tag, and its one end.</summary>
    public Body ParseBodyAndEnd(string end)
    {
        var body = ParseBody(end);
        _stream.Next();
        return body;
    }

    private Body ParseUntil(string[] ends)
    {
        _stream.CheckDepth();
        var statements = new List<Statement>();
        while (_stream.Current.Kind != TokenKind.End)
        {
            var token = _stream.Next();
            if (token.Kind == TokenKind.Data)
            {
                statements.Add(new TextOutput(token.Text, token.Line));
            }
            else if (token.Kind == TokenKind.PrintBegin)
            {
                statements.Add(new Print(_expressions.ParseTuple(), token.Line));
                _stream.Expect(TokenKind.PrintEnd, "end of print statement");
            }
            else
            {
                if (_stream.Current.Kind == TokenKind.Name && ends.Contains(_stream.Current.Text))
                    return new Body(statements);
                statements.Add(ParseTag(ends));
                _stream.Expect(TokenKind.TagEnd, "end of statement block");
            }
        }

        return ends.Length == 0 ? new Body(statements) : throw Unfinished("Unexpected end of template.", ends);
    }

    private Statement ParseTag(string[] ends)
    {
        var tag = _stream.Current;
        if (tag.Kind != TokenKind.Name)
            throw _stream.Error("tag name expected");
        if (!_tags.Knows(tag.Text))
            throw Unfinished($"Encountered unknown tag '{tag.Text}'.", ends);
        _open.Push(tag.Text);
        var statement = _tags.Parse(_stream.Next());
        _open.Pop();
        return statement;
    }

    private JinjaException Unfinished(string problem, string[] ends)
    {
        var wanted = string.Join(" or ", ends.Select(static end => $"'{end}'"));
        var looking = ends.Length == 0 ? "" : $" Jinja was looking for the following tags: {wanted}.";
        var innermost = _open.TryPeek(out var tag)
            ? $" The innermost block that needs to be closed is '{tag}'."
            : "";
        return _stream.Error(problem + looking + innermost);
    }
}

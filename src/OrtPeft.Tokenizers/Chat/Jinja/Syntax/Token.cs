namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

/// <summary>A piece of a template: text, a delimiter, or a word within a tag, with the line it stands in.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">The text, name or operator.</param>
/// <param name="Line">From 1.</param>
/// <param name="Value">The value of a number or string.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Line, object? Value = null)
{
    public bool Is(string op) => Kind == TokenKind.Operator && Text == op;

    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    public string Described => Kind switch
    {
        TokenKind.Data => "template data / text",
        TokenKind.PrintBegin => "begin of print statement",
        TokenKind.PrintEnd => "end of print statement",
        TokenKind.TagBegin => "begin of statement block",
        TokenKind.TagEnd => "end of statement block",
        TokenKind.End => "end of template",
        TokenKind.String => "string",
        TokenKind.Number => "number",
        _ => Text,
    };
}

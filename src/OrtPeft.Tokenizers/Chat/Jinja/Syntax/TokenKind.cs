namespace OrtPeft.Tokenizers.Chat.Jinja.Syntax;

internal enum TokenKind
{
    Data,
    PrintBegin,
    PrintEnd,
    TagBegin,
    TagEnd,
    Name,
    String,
    Number,
    Operator,
    End,
}

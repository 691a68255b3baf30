namespace OrtPeft.Tokenizers.Chat.Jinja.Tree;

/// <summary>How a statement ended.</summary>
internal enum Flow
{
    Next,
    Break,
    Continue,
}

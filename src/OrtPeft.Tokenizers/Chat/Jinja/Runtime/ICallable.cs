namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>A value that a template can call.</summary>
internal interface ICallable
{
    object? Call(Arguments arguments);
}

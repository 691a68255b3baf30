namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>An object with attributes of its own, such as <c>loop.index</c>.</summary>
internal interface IAttributes
{
    bool TryGet(string name, out object? value);
}

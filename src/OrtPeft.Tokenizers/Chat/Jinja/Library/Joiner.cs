using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>A separator that is empty the first time: <c>joiner(', ')</c>.</summary>
internal sealed class Joiner(string separator) : ICallable
{
    private bool _isUsed;

    public object? Call(Arguments arguments)
    {
        var text = _isUsed ? separator : "";
        _isUsed = true;
        return text;
    }
}

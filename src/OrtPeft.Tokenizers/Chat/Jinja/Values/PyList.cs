namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Python's list. Templates cannot change one.</summary>
internal sealed class PyList(IEnumerable<object?> items)
{
    public List<object?> Items { get; } = [.. items];
}

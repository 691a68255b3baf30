namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>Python's tuple; a group of <c>groupby</c> is one whose two items have names.</summary>
internal sealed class PyTuple(IEnumerable<object?> items, bool isGroup = false)
{
    public List<object?> Items { get; } = [.. items];

    public bool IsGroup => isGroup;
}

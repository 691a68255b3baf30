namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>
/// The result of a dict's <c>keys</c>, <c>values</c> and <c>items</c>: items that can be gone through again.
/// </summary>
/// <param name="type">Python's name of its type, such as <c>dict_keys</c>.</param>
/// <param name="items">The items at the time.</param>
internal sealed class PyView(string type, IEnumerable<object?> items)
{
    public string Type => type;

    public PyList Items { get; } = new(items);
}

namespace OrtPeft.Tokenizers.Chat.Jinja.Values;

/// <summary>
/// Python's generators and iterators, such as filters like <c>map</c> return: gone through once, and true even when
/// nothing is left.
/// </summary>
/// <param name="type">Python's name of its type, such as <c>generator</c>.</param>
/// <param name="items">The items, computed when they are asked for.</param>
internal sealed class PyIterator(string type, IEnumerable<object?> items)
{
    private readonly IEnumerator<object?> _items = items.GetEnumerator();

    public string Type => type;

    public IEnumerable<object?> Rest()
    {
        while (_items.MoveNext())
            yield return _items.Current;
    }
}

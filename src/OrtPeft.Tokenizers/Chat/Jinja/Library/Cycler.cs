using OrtPeft.Tokenizers.Chat.Jinja.Runtime;

namespace OrtPeft.Tokenizers.Chat.Jinja.Library;

/// <summary>Values that come round again: <c>cycler('odd', 'even')</c>.</summary>
internal sealed class Cycler : IAttributes
{
    private readonly List<object?> _items;
    private int _at;

    public Cycler(List<object?> items)
    {
        if (items.Count == 0)
            throw new JinjaException("at least one item has to be provided");
        _items = items;
    }

    public bool TryGet(string name, out object? value)
    {
        value = name switch
        {
            "current" => _items[_at],
            "next" => new Function(name, "", "<method next>", _ => Next()),
            "reset" => new Function(name, "", "<method reset>", _ => Reset()),
            _ => null,
        };
        return value is not null || name == "current";
    }

    private object? Next()
    {
        var current = _items[_at];
        _at = (_at + 1) % _items.Count;
        return current;
    }

    private object? Reset()
    {
        _at = 0;
        return null;
    }
}

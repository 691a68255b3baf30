using System.Numerics;
using OrtPeft.Tokenizers.Chat.Jinja.Values;

namespace OrtPeft.Tokenizers.Chat.Jinja.Runtime;

/// <summary>
/// A loop as its body sees it, <c>loop</c>: where it is, what comes next, and the loop as a function.
/// </summary>
internal sealed class LoopContext(object? iterated, int depth, Func<object?, int, string>? recurse)
    : IAttributes, ICallable
{
    private IEnumerator<object?> _items = Iteration.Of(iterated).GetEnumerator();
    private int _index = -1;
    private int? _length;
    private bool _hasNext;
    private bool _isAhead;
    private object? _previous;
    private PyTuple? _changed;

    public object? Current { get; private set; }

    public string Display => $"<LoopContext {_index + 1}/{Length}>";

    public BigInteger Length => _length ??= CountAll();

    public bool MoveNext()
    {
        Peek();
        _isAhead = false;
        if (!_hasNext)
            return false;
        _previous = Current;
        Current = _items.Current;
        _index++;
        return true;
    }

    public bool TryGet(string name, out object? value)
    {
        value = name switch
        {
            "index" => (BigInteger)(_index + 1),
            "index0" => (BigInteger)_index,
            "revindex" => Length - _index,
            "revindex0" => Length - _index - 1,
            "first" => _index == 0,
            "last" => !Peek(),
            "length" => Length,
            "depth" => (BigInteger)(depth + 1),
            "depth0" => (BigInteger)depth,
            "previtem" => _index == 0 ? new Undefined("there is no previous item") : _previous,
            "nextitem" => Peek() ? _items.Current : new Undefined("there is no next item"),
            "cycle" => new Function("cycle", "<method cycle>", Cycle),
            "changed" => new Function("changed", "<method changed>", a => Changed(a)),
            _ => null,
        };
        return value is not null || name is "previtem" or "nextitem";
    }

    public object? Call(Arguments arguments)
    {
        if (recurse is null)
            throw new JinjaException("The loop must have the 'recursive' marker to be called recursively.");
        return recurse(new Signature("loop", "iterable").Bind(arguments)[0], depth + 1);
    }

    private bool Peek()
    {
        if (!_isAhead)
            _hasNext = _items.MoveNext();
        _isAhead = true;
        return _hasNext;
    }

    private int CountAll()
    {
        if (Sizes.Count(iterated) is { } known)
            return known;
        var rest = new List<object?>();
        while (Peek())
        {
            rest.Add(_items.Current);
            _isAhead = false;
        }

        _items = rest.GetEnumerator();
        _isAhead = false;
        return _index + 1 + rest.Count;
    }

    private object? Cycle(Arguments arguments) => arguments.Positional.Count > 0
        ? arguments.Positional[_index % arguments.Positional.Count]
        : throw new JinjaException("no items for cycling given");

    private bool Changed(Arguments arguments)
    {
        var value = new PyTuple(arguments.Positional);
        var isChanged = _changed is null || !Equality.AreEqual(_changed, value);
        _changed = value;
        return isChanged;
    }
}

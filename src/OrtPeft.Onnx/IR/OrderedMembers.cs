using System.Collections;

namespace OrtPeft.Onnx;

/// <summary>
/// The members of a graph, in order, each member once. Adding, inserting, removing and comparing places take the same
/// time however many there are, and so do the first and the last; reading by another index after an edit copies the
/// list once. Compared by reference.
/// </summary>
/// <typeparam name="T">The members' type.</typeparam>
internal sealed class OrderedMembers<T> : IReadOnlyList<T>
    where T : class
{
    private readonly LinkedList<Place<T>> _order = [];
    private readonly Dictionary<T, LinkedListNode<Place<T>>> _places = new(ReferenceEqualityComparer.Instance);
    private readonly PlaceNumbers<T> _numbers = new();
    private T[]? _byIndex;

    /// <inheritdoc/>
    public int Count => _order.Count;

    /// <summary>The last member, or null where there is none.</summary>
    public T? Last => _order.Last?.Value.Member;

    /// <inheritdoc/>
    public T this[int index]
    {
        get
        {
            if (_byIndex is null && _order is { First: { } first, Last: { } last })
            {
                if (index == 0)
                    return first.Value.Member;
                if (index == Count - 1)
                    return last.Value.Member;
            }

            return (_byIndex ??= [.. this])[index];
        }
    }

    /// <summary>Whether something is a member.</summary>
    public bool Contains(T member) => _places.ContainsKey(member);

    /// <summary>The member before another, or null at the front.</summary>
    public T? Before(T member) => _places[member].Previous?.Value.Member;

    /// <summary>Whether a member comes before another.</summary>
    public bool IsBefore(T member, T other) => _places[member].Value.Number < _places[other].Value.Number;

    /// <summary>Adds a member after all others.</summary>
    public void Add(T member) => Enter(member, null);

    /// <summary>Puts a member before another.</summary>
    public void Insert(T member, T before) => Enter(member, _places[before]);

    /// <summary>Takes a member out; false where it is none.</summary>
    public bool Remove(T member)
    {
        if (!_places.Remove(member, out var place))
            return false;
        _byIndex = null;
        _order.Remove(place);
        return true;
    }

    /// <summary>Puts the members, or others, in a new order.</summary>
    public void Set(IEnumerable<T> members)
    {
        T[] order = [.. members];
        _order.Clear();
        _places.Clear();
        foreach (var member in order)
            Add(member);
    }

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator()
    {
        foreach (var place in _order)
            yield return place.Member;
    }

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private void Enter(T member, LinkedListNode<Place<T>>? before)
    {
        var place = new LinkedListNode<Place<T>>(new Place<T>(member));
        _places.Add(member, place);
        _byIndex = null;
        if (before is null)
            _order.AddLast(place);
        else
            _order.AddBefore(before, place);
        _numbers.Number(place);
    }
}

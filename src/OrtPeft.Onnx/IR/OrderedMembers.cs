using System.Collections;

namespace OrtPeft.Onnx;

/// <summary>
/// What belongs to a graph, in order, each member once. Adding, inserting and removing take the same time however many
/// there are; reading by index after an edit copies the list once. Compared by reference.
/// </summary>
/// <typeparam name="T">The members' type.</typeparam>
internal sealed class OrderedMembers<T> : IReadOnlyList<T>
    where T : class
{
    private readonly LinkedList<T> _order = [];
    private readonly Dictionary<T, LinkedListNode<T>> _places = new(ReferenceEqualityComparer.Instance);
    private T[]? _byIndex;

    /// <inheritdoc/>
    public int Count => _order.Count;

    /// <summary>The last member, or null where there is none.</summary>
    public T? Last => _order.Last?.Value;

    /// <inheritdoc/>
    public T this[int index] => (_byIndex ??= [.. _order])[index];

    /// <summary>Whether something is a member.</summary>
    public bool Contains(T member) => _places.ContainsKey(member);

    /// <summary>The member before another, or null at the front.</summary>
    public T? Before(T member) => _places[member].Previous?.Value;

    /// <summary>Adds a member behind all others.</summary>
    public void Add(T member) => _places.Add(member, Edited().AddLast(member));

    /// <summary>Puts a member in front of another.</summary>
    public void Insert(T member, T before) => _places.Add(member, Edited().AddBefore(_places[before], member));

    /// <summary>Takes a member out; false where it is none.</summary>
    public bool Remove(T member)
    {
        if (!_places.Remove(member, out var place))
            return false;
        Edited().Remove(place);
        return true;
    }

    /// <summary>Puts the members, or others, in a new order.</summary>
    public void Set(IEnumerable<T> members)
    {
        T[] order = [.. members];
        Edited().Clear();
        _places.Clear();
        foreach (var member in order)
            Add(member);
    }

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => _order.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private LinkedList<T> Edited()
    {
        _byIndex = null;
        return _order;
    }
}

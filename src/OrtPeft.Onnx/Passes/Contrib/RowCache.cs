using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using static OrtPeft.Onnx.Building.Formula;

namespace OrtPeft.Onnx.Passes.Contrib;

/// <summary>
/// A cache in which each row has a past of its own length, as <c>GroupQueryAttention</c> keeps it. Attention reads its
/// slots and the new keys after them in the order in which they are, and knows the place of each in its row: what of
/// the cache a row does not use has a place that nobody looks back to.
/// </summary>
internal sealed class RowCache
{
    private const long Nowhere = 1L << 40;

    private readonly GraphBuilder _g;
    private readonly Term _sequence;
    private readonly Term? _slots;
    private readonly Term? _pasts;
    private readonly Term _keyPlaces;

    /// <summary>Reads a node's lengths.</summary>
    /// <param name="node">Input 3 is the cache, 5 each row's length less one, 6 the longest length.</param>
    /// <param name="g">Adds the nodes.</param>
    /// <param name="queries"><c>[batch, heads, sequence, width]</c>.</param>
    public RowCache(Node node, GraphBuilder g, Value queries)
    {
        _g = g;
        _sequence = Lengths.Of(g, queries, 2);
        var counted = Unsqueeze(Lengths.CountTo(g, _sequence), 0);
        QueryPlaces = counted;
        _keyPlaces = counted;
        if (node.Input(3) is not { } cache)
            return;
        var (length, pasts) = (Lengths.Of(g, cache, 2), Pasts(node));
        (_slots, _pasts) = (length, pasts);
        QueryPlaces = counted + pasts;
        var slots = Lengths.CountTo(g, length);
        var used = Where(slots < pasts, slots, Nowhere);
        _keyPlaces = g.Term(g.Concat(1, used, QueryPlaces));
    }

    /// <summary>The queries' places in their rows, <c>[batch or 1, sequence] int64</c>.</summary>
    public Term QueryPlaces { get; }

    /// <summary>The cache with the new keys or values appended.</summary>
    public Value Behind(Value? cache, Value added) => cache is null ? added : _g.Concat(2, cache, added);

    /// <summary>The mask of the keys that each query sees, <c>[batch or 1, 1, sequence, slots + sequence] bool</c>.</summary>
    /// <param name="window">How many keys a query sees at most, itself included; 0 or less for all before it.</param>
    public Value IsSeen(long window)
    {
        var (query, key) = (Unsqueeze(QueryPlaces, 1, 3), Unsqueeze(_keyPlaces, 1, 2));
        var isNotLater = key <= query;
        return window <= 0 ? isNotLater : isNotLater & (key + _g.Int64Scalar(window) > query);
    }

    /// <summary>Numbers by place, <c>[…, total]</c>, as numbers by slot, <c>[batch, heads, sequence, slots + …]</c>.
    /// </summary>
    public Value AtSlots(Value byPlace, Value scores)
    {
        if (_slots is null)
            return byPlace;
        var shape = _g.Shape(scores);
        var last = Lengths.Of(_g, byPlace, 3) - 1;
        var places = _g.Expand(Unsqueeze(Min(_keyPlaces, last), 1, 2), shape);
        var upToLast = _g.Op("Slice", shape, _g.Int64(0), _g.Int64(3));
        var spread = _g.Expand(byPlace, _g.Concat(0, upToLast, _g.Int64(1)));
        return _g.Op("GatherElements", [spread, places], NodeAttribute.Of("axis", 3L));
    }

    /// <summary>
    /// The new cache: each row's past, what is new right after it, then zeros; as long as the old cache, or as the
    /// longest row where that is more.
    /// </summary>
    public Value? Present(Value? cache, Value added, Value? output)
    {
        if (output is null or { Uses.Count: 0, IsGraphOutput: false })
            return null;
        if (cache is null || _slots is not { } length || _pasts is not { } pasts)
            return added;
        var longest = _g.Op("ReduceMax", [pasts + _sequence], NodeAttribute.Of("keepdims", 0L));
        var slots = Unsqueeze(Lengths.CountTo(_g, Max(length, longest)), 0);
        var isUsed = slots < pasts + _sequence;
        var source = Where(slots < pasts, slots, slots - pasts + length);
        var at = Where(isUsed, source, 0);
        var kept = PickedRows(Behind(cache, added), at);
        return Where(Unsqueeze(isUsed, 1, 3), kept, _g.ScalarLike(added, 0));
    }

    /// <summary>x[b, h, at[b, t], w].</summary>
    private Value PickedRows(Value x, Value at)
    {
        var bySlot = _g.Transpose(x, 0, 2, 1, 3);
        var picked = _g.Op("GatherND", [bySlot, _g.Unsqueeze(at, 2)], NodeAttribute.Of("batch_dims", 1L));
        return _g.Transpose(picked, 0, 2, 1, 3);
    }

    /// <summary>
    /// Each row's past, <c>[batch, 1] int64</c>. Where the longest row is all in the queries there is none, and rows
    /// may be padded on the right.
    /// </summary>
    private Term Pasts(Node node)
    {
        var ends = Cast(Reshape(_g.Term(node.Inputs[5]!), -1, 1), ElementType.Int64) + 1;
        var longest = Cast(Reshape(_g.Term(node.Inputs[6]!), 1, 1), ElementType.Int64);
        return Where(Equal(longest, _sequence), 0, ends - _sequence);
    }
}

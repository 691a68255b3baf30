namespace OrtPeft.Tokenizers;

/// <summary>
/// Merges the symbols of one word: always the pair of lowest rank, leftmost first. A linked list of symbols and a
/// heap of pairs make it O(n log n), so a very long word costs no more than the same text in short ones.
/// </summary>
internal readonly ref struct PairMerger
{
    private const int OnStack = 64;

    private readonly MergeTable _table;
    private readonly Span<int> _ids;
    private readonly Span<int> _next;
    private readonly Span<int> _previous;
    private readonly Span<Merge> _pending;
    private readonly Span<int> _lengths;

    private PairMerger(MergeTable table, Span<int> ids, Span<int> lengths, Span<int> links, Span<Merge> pending)
    {
        _lengths = lengths;
        _table = table;
        _ids = ids;
        _next = links[..ids.Length];
        _previous = links.Slice(ids.Length, ids.Length);
        _pending = pending;
    }

    /// <summary>Merges in place.</summary>
    /// <param name="table">The merges.</param>
    /// <param name="ids">The symbols, then what they became.</param>
    /// <param name="lengths">The symbols' lengths, which are added up alike; or nothing.</param>
    /// <returns>How many ids are left at the start of <paramref name="ids"/>.</returns>
    public static int MergeAll(MergeTable table, Span<int> ids, Span<int> lengths = default)
    {
        var count = ids.Length;
        if (count < 2)
            return count;
        var small = count <= OnStack;
        var links = small ? stackalloc int[2 * OnStack] : new int[2 * count];
        var pending = small ? stackalloc Merge[OnStack] : new Merge[count];
        // Every pair is queued once at the start and every merge queues two more.
        var heap = new MinHeap(small ? stackalloc ulong[3 * OnStack] : new ulong[3L * count]);
        return new PairMerger(table, ids, lengths, links, pending).Run(ref heap);
    }

    private int Run(ref MinHeap heap)
    {
        for (var i = 0; i < _ids.Length; i++)
        {
            _next[i] = i + 1;
            _previous[i] = i - 1;
        }

        for (var i = 0; i < _ids.Length; i++)
            Queue(ref heap, i);
        while (heap.TryPop(out var entry))
        {
            var at = (int)(uint)entry;
            // An entry outlives its pair when a neighbour was merged away; the pair now there has its own entry.
            if (_pending[at].Rank == (int)(entry >> 32))
                MergeAt(ref heap, at);
        }

        return Compact();
    }

    private void MergeAt(ref MinHeap heap, int at)
    {
        var absorbed = _next[at];
        var after = _next[absorbed];
        _ids[at] = _pending[at].Result;
        if (!_lengths.IsEmpty)
            _lengths[at] += _lengths[absorbed];
        _next[at] = after;
        _pending[absorbed] = Merge.None;
        if (after < _ids.Length)
            _previous[after] = at;
        Queue(ref heap, at);
        if (_previous[at] >= 0)
            Queue(ref heap, _previous[at]);
    }

    private void Queue(ref MinHeap heap, int at)
    {
        var next = _next[at];
        var merge = next < _ids.Length ? _table.Find(_ids[at], _ids[next]) : Merge.None;
        _pending[at] = merge;
        if (merge.Exists)
            heap.Push(((ulong)merge.Rank << 32) | (uint)at);
    }

    private int Compact()
    {
        var count = 0;
        for (var at = 0; at < _ids.Length; at = _next[at])
        {
            if (!_lengths.IsEmpty)
                _lengths[count] = _lengths[at];
            _ids[count++] = _ids[at];
        }

        return count;
    }
}

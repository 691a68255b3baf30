namespace OrtPeft.Tokenizers;

/// <summary>A binary heap in memory lent by the caller, which bounds how many entries it can hold.</summary>
internal ref struct MinHeap(Span<ulong> storage)
{
    private readonly Span<ulong> _entries = storage;
    private int _count;

    public void Push(ulong entry)
    {
        var at = _count++;
        while (at > 0 && _entries[(at - 1) / 2] > entry)
        {
            _entries[at] = _entries[(at - 1) / 2];
            at = (at - 1) / 2;
        }

        _entries[at] = entry;
    }

    public bool TryPop(out ulong smallest)
    {
        smallest = 0;
        if (_count == 0)
            return false;
        smallest = _entries[0];
        SiftDown(_entries[--_count]);
        return true;
    }

    private readonly void SiftDown(ulong entry)
    {
        var at = 0;
        for (var child = 1; child < _count; child = 2 * at + 1)
        {
            if (child + 1 < _count && _entries[child + 1] < _entries[child])
                child++;
            if (_entries[child] >= entry)
                break;
            _entries[at] = _entries[child];
            at = child;
        }

        _entries[at] = entry;
    }
}

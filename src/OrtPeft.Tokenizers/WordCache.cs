using System.Collections.Concurrent;

namespace OrtPeft.Tokenizers;

/// <summary>
/// Ids of words met before. Safe for many threads; holds at most about <see cref="Capacity"/> short words (some
/// 20 MB) and starts afresh when full, so that it follows a change of subject.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Words, more than a long text in one language uses often.</summary>
    public const int Capacity = 1 << 17;

    /// <summary>UTF-16 units. Longer words hardly ever come twice.</summary>
    public const int LongestWord = 48;

    private readonly ConcurrentDictionary<string, int[]> _words = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private int _count;

    public WordCache() => _lookup = _words.GetAlternateLookup<ReadOnlySpan<char>>();

    public bool TryGet(ReadOnlySpan<char> word, out ReadOnlySpan<int> ids)
    {
        var found = _lookup.TryGetValue(word, out var cached);
        ids = cached;
        return found;
    }

    public void Add(ReadOnlySpan<char> word, ReadOnlySpan<int> ids)
    {
        if (word.Length > LongestWord || !_words.TryAdd(word.ToString(), ids.ToArray()))
            return;
        if (Interlocked.Increment(ref _count) < Capacity)
            return;
        Interlocked.Exchange(ref _count, 0);
        _words.Clear();
    }
}

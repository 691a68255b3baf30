using System.Numerics;

namespace OrtPeft.Tokenizers;

/// <summary>Pair of ids → rank and result, in an open-addressed table that is not changed once built.</summary>
internal sealed class MergeTable
{
    private readonly ulong[] _keys;
    private readonly Merge[] _merges;
    private readonly int _shift;

    /// <summary>Ranks are positions in the list; where a pair stands twice the later one counts, as in HF.</summary>
    /// <param name="rules">The merges.</param>
    /// <param name="ranks">Other ranks than the positions; equal ones are merged from the left.</param>
    public MergeTable(IReadOnlyList<MergeRule> rules, IReadOnlyList<int>? ranks = null)
    {
        var bits = Math.Max(4, BitOperations.Log2((uint)Math.Max(1, rules.Count)) + 2);
        _keys = new ulong[1 << bits];
        _merges = new Merge[1 << bits];
        _shift = 64 - bits;
        for (var rank = 0; rank < rules.Count; rank++)
        {
            var key = Key(rules[rank].Left, rules[rank].Right);
            var slot = SlotOf(key);
            _keys[slot] = key;
            _merges[slot] = new Merge(ranks?[rank] ?? rank, rules[rank].Result);
        }
    }

    /// <summary>The merge of two neighbours, or <see cref="Merge.None"/>.</summary>
    public Merge Find(int left, int right)
    {
        var slot = SlotOf(Key(left, right));
        return _keys[slot] == 0 ? Merge.None : _merges[slot];
    }

    /// <summary>Plus one, so that 0 marks an empty slot.</summary>
    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) + 1;

    private int SlotOf(ulong key)
    {
        // Fibonacci hashing: the high bits of key · 2⁶⁴/φ are well mixed.
        var slot = (int)((key * 0x9E3779B97F4A7C15) >> _shift);
        while (_keys[slot] != 0 && _keys[slot] != key)
            slot = (slot + 1) & (_keys.Length - 1);
        return slot;
    }
}

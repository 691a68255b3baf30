using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Native;
using OrtPeft.Kernels.Products;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>What is added to attention's scores, or what their gradient is multiplied with.</summary>
internal unsafe struct ScoreMask
{
    private const int Axes = 4;

    /// <summary>What is added, at most, to the score of a key that is not to be seen.</summary>
    private const float Hidden = -1e30f;

    /// <summary>What was counted; kept, since the next layer needs as much.</summary>
    [ThreadStatic]
    private static int[]? _keptSeen, _keptPlain;

    /// <summary>How many keys a query has.</summary>
    public int Keys;

    /// <summary>Whether all keys of a query have the same number.</summary>
    public bool IsSameForAllKeys;

    private float* _start;
    private int* _seen, _plain;
    private float _neutral;
    private long _heads;

    /// <summary>Numbers of a row.</summary>
    private int _columns;

    /// <summary>How many rows there are, and for all heads of a row of the batch, a head, a query: one, or none where
    /// they share it.</summary>
    private long _rows, _ofBatch, _ofHead, _ofQuery;

    /// <summary>How many queries have rows of their own, or 1.</summary>
    private long _queries;

    /// <summary>A mask of scores; a stride of 0 repeats it along an axis of length 1 that the scores have longer.
    /// </summary>
    /// <param name="start">Its numbers.</param>
    /// <param name="dims">Up to four axes, each as long as the scores' or 1.</param>
    /// <param name="scores">[batch, heads, queries, keys].</param>
    public static ScoreMask Of(float* start, long[] dims, long[] scores)
    {
        if (scores.Length != Axes || dims.Length > Axes)
            throw new ArgumentException($"scores have {scores.Length} axes and their mask {dims.Length}, not 4.");
        long[] full = [.. Enumerable.Repeat(1L, Axes - dims.Length), .. dims];
        if (full.Zip(scores).Any(static pair => pair.First != pair.Second && pair.First != 1))
            throw new ArgumentException(
                $"a mask of [{string.Join(", ", dims)}] does not fit scores of [{string.Join(", ", scores)}].");
        return new ScoreMask
        {
            Keys = checked((int)scores[3]),
            IsSameForAllKeys = full[3] != scores[3] || scores[3] == 0,
            _start = start,
            _heads = scores[1],
            _columns = checked((int)full[3]),
            _rows = full[0] * full[1] * full[2],
            _ofBatch = full[0] == 1 ? 0 : full[1] * full[2],
            _ofHead = full[1] == 1 ? 0 : full[2],
            _ofQuery = full[2] == 1 ? 0 : 1,
            _queries = full[2],
        };
    }

    /// <summary>Counts how many keys each row lets a query see: heads share rows.</summary>
    public void CountSeen()
    {
        _seen = KeptMemory.Of(ref _keptSeen, _rows);
        for (var row = 0L; row < _rows && !IsSameForAllKeys; row++)
            _seen[row] = SeenIn(Keys, _start + (row * Keys));
    }

    /// <summary>Counts how many numbers at the beginning of each row change nothing.</summary>
    /// <param name="neutral">The number that changes nothing: 0 for sums, 1 for products.</param>
    public void CountPlain(float neutral)
    {
        _neutral = neutral;
        _plain = KeptMemory.Of(ref _keptPlain, _rows);
        for (var row = 0L; row < _rows && !IsSameForAllKeys; row++)
            _plain[row] = PlainIn(Keys, _start + (row * Keys), neutral);
    }

    /// <summary>The number of a query's row.</summary>
    /// <param name="piece">The head's number among all heads of all rows of the batch.</param>
    /// <param name="query">The query.</param>
    public readonly long RowOf(long piece, long query)
    {
        var (batch, head) = Math.DivRem(piece, _heads);
        return (batch * _ofBatch) + (head * _ofHead) + (query * _ofQuery);
    }

    /// <summary>A row's numbers, one for each key or a single one.</summary>
    public readonly float* Row(long row) => _start + (row * _columns);

    /// <summary>How many keys a query's probabilities need scores of; the others' are 0.</summary>
    public readonly int Seen(long row) => IsSameForAllKeys ? Keys : _seen[row];

    /// <summary>The most keys that each block of queries sees, in any head.</summary>
    /// <param name="seen">A number for each block.</param>
    /// <param name="block">Queries of a block.</param>
    public readonly void SeenOfBlocks(Span<int> seen, int block)
    {
        seen.Clear();
        for (var row = 0L; row < _rows && seen.Length > 0;)
        {
            for (var query = 0; query < _queries; query++, row++)
                seen[query / block] = Math.Max(seen[query / block], Seen(row));
        }

        if (_queries == 1 && seen.Length > 1)
            seen[1..].Fill(seen[0]);
    }

    /// <summary>What the mask changes for a block of queries, as columns: [keys that it changes, width].</summary>
    /// <param name="piece">The head's number among all heads of all rows of the batch.</param>
    /// <param name="query">The first query.</param>
    /// <param name="queries">How many there are.</param>
    /// <param name="keys">How many of the first keys are looked at.</param>
    /// <param name="y">The result.</param>
    /// <param name="width">Its columns.</param>
    /// <returns>How many first keys it changes nothing of, and how many come behind them.</returns>
    public readonly (int Plain, int Masked) Turn(long piece, int query, int queries, int keys, float* y, int width)
    {
        var first = RowOf(piece, query);
        var plain = keys;
        for (var i = 0; i < queries; i++)
            plain = Math.Min(plain, Plain(first + (i * _ofQuery)));
        var masked = keys - plain;
        if (!IsSameForAllKeys)
        {
            Squares.TurnRows(Row(first) + plain, (nint)_ofQuery * Keys, queries, masked, y, width);
            return (plain, masked);
        }

        for (var i = 0; i < masked; i++, y += width)
        {
            for (var column = 0; column < width; column++)
                y[column] = column < queries ? *Row(first + (column * _ofQuery)) : 0;
        }

        return (plain, masked);
    }

    private readonly int Plain(long row) => !IsSameForAllKeys ? _plain[row] : *Row(row) == _neutral ? Keys : 0;

    /// <summary>
    /// How many keys there are, to a vector, up to the last that the row lets a query see; all where it lets it see
    /// none. Probabilities behind it are 0, so long as scores are far from <see cref="Hidden"/>.
    /// </summary>
    private static int SeenIn(int keys, float* row)
    {
        var (seen, step) = (keys, Vector512<float>.Count);
        var hidden = Vector512.Create(Hidden);
        while (seen >= step && Vector512.LessThanOrEqualAll(Vector512.Load(row + seen - step), hidden))
            seen -= step;
        var first = new ReadOnlySpan<float>(row, seen);
        var seesNothing = seen < step && !first.ContainsAnyExceptInRange(float.NegativeInfinity, Hidden);
        return seesNothing ? keys : seen;
    }

    private static int PlainIn(int keys, float* row, float neutral)
    {
        var (plain, step) = (0, Vector512<float>.Count);
        var vector = Vector512.Create(neutral);
        while (plain + step <= keys && Vector512.EqualsAll(Vector512.Load(row + plain), vector))
            plain += step;
        return plain;
    }
}

using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>The numbers that are added to attention's scores, or that multiply their gradient.</summary>
internal unsafe struct ScoreMask
{
    private const int Axes = 4;

    /// <summary>The largest number that, added to a key's score, hides the key.</summary>
    private const float Hidden = -1e30f;

    /// <summary>Rows that one piece of counting looks at.</summary>
    private const int RowsOfPiece = 256;

    /// <summary>How many keys a query has.</summary>
    public int Keys;

    /// <summary>Whether all keys of a query have the same number.</summary>
    public bool IsSameForAllKeys;

    private float* _start;
    private KeyRange* _seen, _plain;
    private float _neutral;
    private long _heads;

    /// <summary>Numbers of a row.</summary>
    private int _columns;

    /// <summary>How many rows there are, and for all heads of a row of the batch, a head, a query: one, or none where
    /// they share it.</summary>
    private long _rows, _ofBatch, _ofHead, _ofQuery;

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
        };
    }

    /// <summary>Finds which keys each row lets a query see, and which of them it changes nothing of: heads share
    /// rows.</summary>
    /// <param name="call">Whose threads look.</param>
    /// <param name="neutral">The number that changes nothing: 0 for sums, 1 for products.</param>
    /// <param name="kept">Memory for what is found, kept since the next layer needs as much.</param>
    public void Look(KernelCall call, float neutral, ref KeyRange[]? kept)
    {
        _neutral = neutral;
        if (IsSameForAllKeys)
            return;
        _seen = KeptMemory.Of(ref kept, 2 * _rows);
        _plain = _seen + _rows;
        call.Share(in this, &LookAt, (_rows + RowsOfPiece - 1) / RowsOfPiece);
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

    /// <summary>The keys that a query's probabilities need scores of; the others' are 0.</summary>
    public readonly KeyRange Seen(long row) => IsSameForAllKeys ? new KeyRange(0, Keys) : _seen[row];

    /// <summary>The keys that any of some queries sees.</summary>
    /// <param name="piece">The head's number among all heads of all rows of the batch.</param>
    /// <param name="query">The first query.</param>
    /// <param name="queries">How many there are, at least one.</param>
    public readonly KeyRange SeenByAny(long piece, int query, int queries)
    {
        var first = RowOf(piece, query);
        var seen = Seen(first);
        for (var i = 1; i < queries && _ofQuery > 0; i++)
            seen = seen.With(Seen(first + i));
        return seen;
    }

    /// <summary>Writes the part of the mask that changes something for a block of queries, as columns:
    /// [keys that it changes, width].</summary>
    /// <param name="piece">The head's number among all heads of all rows of the batch.</param>
    /// <param name="query">The first query.</param>
    /// <param name="queries">How many there are.</param>
    /// <param name="keys">The keys that are looked at.</param>
    /// <param name="y">The result.</param>
    /// <param name="width">Its columns.</param>
    /// <returns>How many first keys it changes nothing of.</returns>
    public readonly int Turn(long piece, int query, int queries, KeyRange keys, float* y, int width)
    {
        var first = RowOf(piece, query);
        var plain = keys.Count;
        for (var i = 0; i < queries; i++)
            plain = Math.Min(plain, PlainAtStart(first + (i * _ofQuery), keys));
        var masked = keys.Count - plain;
        if (!IsSameForAllKeys)
        {
            Squares.TurnRows(Row(first) + keys.First + plain, (nint)_ofQuery * Keys, queries, masked, y, width);
            return plain;
        }

        for (var i = 0; i < masked; i++, y += width)
        {
            for (var column = 0; column < width; column++)
                y[column] = column < queries ? *Row(first + (column * _ofQuery)) : 0;
        }

        return plain;
    }

    /// <summary>How many of the first keys a row changes nothing of.</summary>
    private readonly int PlainAtStart(long row, KeyRange keys)
    {
        if (IsSameForAllKeys)
            return *Row(row) == _neutral ? keys.Count : 0;
        var plain = _plain[row];
        return plain.First <= keys.First ? Math.Clamp(plain.End - keys.First, 0, keys.Count) : 0;
    }

    private static void LookAt(in ScoreMask mask, long piece)
    {
        var end = Math.Min(mask._rows, (piece + 1) * RowsOfPiece);
        for (var row = piece * RowsOfPiece; row < end; row++)
        {
            mask._seen[row] = SeenIn(mask.Keys, mask.Row(row));
            mask._plain[row] = PlainIn(mask.Keys, mask.Row(row), mask._neutral);
        }
    }

    /// <summary>
    /// The keys, to a vector, from the first to the last that the row lets a query see; all where it lets it see
    /// none. Probabilities of others are 0, so long as scores are far from <see cref="Hidden"/>.
    /// </summary>
    private static KeyRange SeenIn(int keys, float* row)
    {
        var (first, end, step) = (0, keys, Vector512<float>.Count);
        var hidden = Vector512.Create(Hidden);
        while (end >= step && Vector512.LessThanOrEqualAll(Vector512.Load(row + end - step), hidden))
            end -= step;
        while (first + step <= end && Vector512.LessThanOrEqualAll(Vector512.Load(row + first), hidden))
            first += step;
        var rest = new ReadOnlySpan<float>(row + first, end - first);
        var seesNothing = rest.Length < step && !rest.ContainsAnyExceptInRange(float.NegativeInfinity, Hidden);
        return seesNothing ? new KeyRange(0, keys) : new KeyRange(first, end);
    }

    /// <summary>The first keys next to each other, in whole vectors, that the row changes nothing of.</summary>
    private static KeyRange PlainIn(int keys, float* row, float neutral)
    {
        var (first, step) = (0, Vector512<float>.Count);
        var vector = Vector512.Create(neutral);
        while (first + step <= keys && !Vector512.EqualsAll(Vector512.Load(row + first), vector))
            first += step;
        var end = first;
        while (end + step <= keys && Vector512.EqualsAll(Vector512.Load(row + end), vector))
            end += step;
        return new KeyRange(first, end);
    }
}

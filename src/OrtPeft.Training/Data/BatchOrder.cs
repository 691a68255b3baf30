using System.Collections.Immutable;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Training.Data;

/// <summary>
/// The rows of each batch of an epoch. Every row comes once an epoch; the last batch of an epoch holds what is left and
/// may be smaller. Any batch of any epoch can be asked for, in any order and from several threads, so training goes on
/// from any step without replaying what came before.
/// </summary>
/// <remarks>
/// The order of a shuffled epoch depends on seed, epoch and number of rows alone: a Fisher–Yates shuffle with
/// SplitMix64, the same on every machine and version of .NET.
/// </remarks>
internal sealed class BatchOrder
{
    private readonly long? _seed;
    private EpochOrder? _latest; // replaced as a whole, never changed: safe to share

    /// <summary>Fixes the order for a data set.</summary>
    /// <param name="rowCount">Rows in the data set, at least 1.</param>
    /// <param name="batchSize">Rows in a batch, at least 1.</param>
    /// <param name="shuffleSeed">A seed to shuffle each epoch anew; null takes the rows as they come.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no row, or a batch would be empty.</exception>
    public BatchOrder(int rowCount, int batchSize, long? shuffleSeed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowCount, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        RowCount = rowCount;
        BatchSize = batchSize;
        _seed = shuffleSeed;
        BatchesPerEpoch = (int)(((long)rowCount + batchSize - 1) / batchSize);
    }

    /// <summary>Rows in the data set.</summary>
    public int RowCount { get; }

    /// <summary>Rows in every batch but perhaps an epoch's last.</summary>
    public int BatchSize { get; }

    /// <summary>Batches in an epoch, the smaller last one included.</summary>
    public int BatchesPerEpoch { get; }

    /// <summary>The rows of one batch. O(batch), and O(rows) for the first batch of a shuffled epoch.</summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="batch">The batch in the epoch, 0..<see cref="BatchesPerEpoch"/>−1.</param>
    /// <returns>Row numbers, 0..<see cref="RowCount"/>−1, in batch order.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such epoch or batch.</exception>
    public ImmutableArray<int> Rows(int epoch, int batch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(batch, BatchesPerEpoch);
        var start = batch * BatchSize;
        var count = Math.Min(BatchSize, RowCount - start);
        return _seed is { } seed
            ? Shuffled(seed, epoch).Slice(start, count)
            : [.. Enumerable.Range(start, count)];
    }

    private ImmutableArray<int> Shuffled(long seed, int epoch)
    {
        var latest = _latest;
        if (latest?.Epoch != epoch)
            _latest = latest = new EpochOrder(epoch, Shuffle(RowCount, new SplitMix64(seed, $"order/{epoch}")));
        return latest.Rows;
    }

    private static ImmutableArray<int> Shuffle(int count, SplitMix64 random)
    {
        int[] rows = [.. Enumerable.Range(0, count)];
        for (var i = count - 1; i > 0; i--)
        {
            var other = random.NextBelow(i + 1);
            (rows[i], rows[other]) = (rows[other], rows[i]);
        }

        return [.. rows];
    }

    private sealed class EpochOrder(int epoch, ImmutableArray<int> rows)
    {
        public int Epoch { get; } = epoch;

        public ImmutableArray<int> Rows { get; } = rows;
    }
}

using System.Collections.Immutable;
using OrtPeft.Compilation.Memory;

namespace OrtPeft.Training.Data;

/// <summary>Cuts batches into parts that run one after the other.</summary>
internal static class MicroBatches
{
    /// <summary>The sizes that no part of any batch exceeds.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="batchSize">Rows of a batch.</param>
    /// <param name="tokens">As for <see cref="Split"/>.</param>
    public static PartSize Largest(IDataset rows, int batchSize, int tokens)
    {
        var (longest, labels) = (1L, 1L);
        for (var row = 0; row < rows.RowCount; row++)
        {
            longest = Math.Max(longest, rows.LengthOf(row));
            labels = Math.Max(labels, rows.SupervisedTokensOf(row));
        }

        var most = Math.Min(batchSize, rows.RowCount);
        if (tokens == 0)
            return new PartSize(most, longest, most * labels);
        var together = Math.Min(most, ((2L * tokens) + longest - 1) / longest);
        return new PartSize(together, longest, Math.Min(most * labels, Math.Max(tokens, labels)));
    }

    /// <summary>
    /// Puts rows of like length together, longest first, as many as fit; rows of one length keep their order.
    /// </summary>
    /// <param name="rows">The batch's row numbers.</param>
    /// <param name="lengthOf">A row's length in tokens.</param>
    /// <param name="labelsOf">How many of them have a label.</param>
    /// <param name="tokens">The most tokens of a part, padding included, and as many more that have no label: those
    /// take no memory for the vocabulary. 0 for any number. A longer row is a part of its own.</param>
    /// <returns>Every row once; no part is empty.</returns>
    public static IReadOnlyList<ImmutableArray<int>> Split(
        ImmutableArray<int> rows, Func<int, int> lengthOf, Func<int, int> labelsOf, int tokens)
    {
        if (tokens == 0)
            return [rows];
        var parts = new List<ImmutableArray<int>>();
        var part = ImmutableArray.CreateBuilder<int>();
        var (longest, unlabelled) = (0, 0L);
        foreach (var row in rows.OrderByDescending(lengthOf))
        {
            var ofRow = lengthOf(row) - labelsOf(row);
            var room = tokens + Math.Min(unlabelled + ofRow, tokens);
            if (part.Count > 0 && (long)longest * (part.Count + 1) > room)
                parts.Add(part.DrainToImmutable());
            if (part.Count == 0)
                (longest, unlabelled) = (lengthOf(row), 0);
            part.Add(row);
            unlabelled += ofRow;
        }

        if (part.Count > 0)
            parts.Add(part.DrainToImmutable());
        return parts;
    }
}

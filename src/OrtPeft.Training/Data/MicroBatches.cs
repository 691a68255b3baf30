using System.Collections.Immutable;

namespace OrtPeft.Training.Data;

/// <summary>Cuts batches into parts that run one after the other.</summary>
internal static class MicroBatches
{
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

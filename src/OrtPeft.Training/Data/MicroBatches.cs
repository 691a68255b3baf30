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
    /// <param name="tokens">The most tokens of a part, padding included; 0 for any number. A longer row is a part of
    /// its own.</param>
    /// <returns>Every row once; no part is empty.</returns>
    public static IReadOnlyList<ImmutableArray<int>> Split(
        ImmutableArray<int> rows, Func<int, int> lengthOf, int tokens)
    {
        if (tokens == 0)
            return [rows];
        var parts = new List<ImmutableArray<int>>();
        var part = ImmutableArray.CreateBuilder<int>();
        var longest = 0;
        foreach (var row in rows.OrderByDescending(lengthOf))
        {
            if (part.Count > 0 && (long)longest * (part.Count + 1) > tokens)
                parts.Add(part.DrainToImmutable());
            if (part.Count == 0)
                longest = lengthOf(row);
            part.Add(row);
        }

        if (part.Count > 0)
            parts.Add(part.DrainToImmutable());
        return parts;
    }
}

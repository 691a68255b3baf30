using System.Collections.Immutable;

namespace OrtPeft.Training.Data;

/// <summary>
/// Puts rows together until a length is reached: best fit, the longest first, as TRL's <c>bfd</c> does. Each pack counts
/// as one row of a batch; its rows still run apart, so that none sees another.
/// </summary>
/// <seealso href="https://arxiv.org/abs/2404.10830">Ding et al.: Fewer truncations improve language modeling, section
/// 3.</seealso>
public static class Packs
{
    /// <summary>Fills packs. O(rows · log(length)).</summary>
    /// <param name="lengths">The rows' lengths in tokens, in order.</param>
    /// <param name="capacity">The most tokens of a pack, at least 1; a longer row is a pack of its own.</param>
    /// <returns>Row numbers of each pack, ascending; every row once. Packs are in the order of their first rows.</returns>
    public static ImmutableArray<ImmutableArray<int>> Fill(IReadOnlyList<int> lengths, int capacity)
    {
        ArgumentNullException.ThrowIfNull(lengths);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        var packs = new List<List<int>>();
        var rooms = new SortedSet<(int Room, int Pack)>();
        foreach (var row in Enumerable.Range(0, lengths.Count).OrderByDescending(row => lengths[row]))
        {
            var fit = rooms.GetViewBetween((lengths[row], 0), (int.MaxValue, int.MaxValue)).Min;
            if (fit == default)
            {
                packs.Add([]);
                fit = (Math.Max(capacity, lengths[row]), packs.Count - 1);
            }

            rooms.Remove(fit);
            packs[fit.Pack].Add(row);
            if (fit.Room > lengths[row])
                rooms.Add((fit.Room - lengths[row], fit.Pack));
        }

        return [.. packs.Select(static pack => pack.Order().ToImmutableArray()).OrderBy(static pack => pack[0])];
    }
}

namespace OrtPeft.Inference.Generation;

/// <summary>Ends streamed text where certain texts begin.</summary>
public static class StopTexts
{
    /// <summary>The pieces up to the first stop text, which is left out; what may be its beginning is held back until it
    /// is known not to be.</summary>
    /// <param name="pieces">The text in pieces; none is asked for once a stop text has come.</param>
    /// <param name="stops">The stop texts, none of them empty; without any, the pieces come as they are.</param>
    /// <returns>Pieces, none empty.</returns>
    /// <exception cref="ArgumentException">A stop text is empty.</exception>
    public static IEnumerable<string> Until(this IEnumerable<string> pieces, IReadOnlyList<string> stops)
    {
        ArgumentNullException.ThrowIfNull(pieces);
        ArgumentNullException.ThrowIfNull(stops);
        if (stops.Any(static stop => stop.Length == 0))
            throw new ArgumentException("A stop text is empty; it would end every text.", nameof(stops));
        return stops.Count == 0 ? pieces : Cut(pieces, stops);
    }

    private static IEnumerable<string> Cut(IEnumerable<string> pieces, IReadOnlyList<string> stops)
    {
        var scanner = new StopScanner(stops);
        foreach (var piece in pieces)
        {
            var free = scanner.Append(piece);
            if (free.Length > 0)
                yield return free;
            if (scanner.Found is not null)
                yield break;
        }

        var rest = scanner.Flush();
        if (rest.Length > 0)
            yield return rest;
    }
}

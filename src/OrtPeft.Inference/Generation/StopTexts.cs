using System.Text;

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
        var held = new StringBuilder();
        foreach (var piece in pieces)
        {
            var text = held.Append(piece).ToString();
            var found = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal))
                .Where(static at => at >= 0).DefaultIfEmpty(-1).Min();
            var free = found >= 0 ? found : text.Length - Beginning(text, stops);
            if (free > 0)
                yield return text[..free];
            if (found >= 0)
                yield break;
            held.Remove(0, free);
        }

        if (held.Length > 0)
            yield return held.ToString();
    }

    /// <summary>How many characters at the end may be the beginning of a stop text.</summary>
    private static int Beginning(string text, IReadOnlyList<string> stops)
    {
        var longest = Math.Min(text.Length, stops.Max(static stop => stop.Length) - 1);
        for (var length = longest; length > 0; length--)
        {
            var end = text[^length..];
            if (stops.Any(stop => stop.StartsWith(end, StringComparison.Ordinal)))
                return length;
        }

        return 0;
    }
}

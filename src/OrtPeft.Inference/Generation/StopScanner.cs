using System.Text;

namespace OrtPeft.Inference.Generation;

/// <summary>Looks for the first of some texts in a text that comes in pieces. Not thread-safe.</summary>
/// <param name="stops">The texts, none of them empty; without any, everything passes.</param>
internal sealed class StopScanner(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _held = new();

    /// <summary>The text that was found; null so far.</summary>
    public string? Found { get; private set; }

    /// <summary>The text after the one that was found, as far as it has come.</summary>
    public string After { get; private set; } = "";

    /// <summary>Takes a piece.</summary>
    /// <param name="piece">The piece.</param>
    /// <returns>What comes before the text that is looked for; what may be its beginning is held back until it is known
    /// not to be.</returns>
    public string Append(string piece)
    {
        if (Found is not null)
        {
            After += piece;
            return "";
        }

        if (stops.Count == 0)
            return piece;
        var text = _held.Append(piece).ToString();
        var (at, stop) = stops.Select(stop => (At: text.IndexOf(stop, StringComparison.Ordinal), Stop: stop))
            .Where(static found => found.At >= 0).DefaultIfEmpty((At: -1, Stop: "")).MinBy(static found => found.At);
        _held.Clear();
        if (at >= 0)
        {
            (Found, After) = (stop, text[(at + stop.Length)..]);
            return text[..at];
        }

        var free = text.Length - Beginning(text);
        _held.Append(text, free, text.Length - free);
        return text[..free];
    }

    /// <summary>Ends the text.</summary>
    /// <returns>What was held back.</returns>
    public string Flush()
    {
        var rest = _held.ToString();
        _held.Clear();
        return rest;
    }

    /// <summary>How many characters at the end may be the beginning of a stop text.</summary>
    private int Beginning(string text)
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

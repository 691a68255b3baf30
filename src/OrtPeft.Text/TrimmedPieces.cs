namespace OrtPeft.Text;

/// <summary>Leaves white space around streamed text out.</summary>
internal static class TrimmedPieces
{
    /// <summary>The pieces of the trimmed text; white space is held back until more comes.</summary>
    public static IEnumerable<string> Trimmed(this IEnumerable<string> pieces)
    {
        var (held, hasBegun) = ("", false);
        foreach (var piece in pieces)
        {
            var text = hasBegun ? held + piece : (held + piece).TrimStart();
            var free = text.TrimEnd().Length;
            held = text[free..];
            if (free == 0)
                continue;
            hasBegun = true;
            yield return text[..free];
        }
    }
}

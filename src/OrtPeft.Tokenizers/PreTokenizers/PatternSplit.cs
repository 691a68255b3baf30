using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Patterns;

namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>Cuts at matches of a pattern, by one of Hugging Face's five behaviours.</summary>
internal static class PatternSplit
{
    public static PieceSplitter Of(TextPattern pattern, SplitBehavior behavior, bool isInverted = false) =>
        piece => Split(piece, pattern(piece.Text), behavior, isInverted);

    private static IEnumerable<AlignedText> Split(
        AlignedText piece, IReadOnlyList<TextMatch> matches, SplitBehavior behavior, bool isInverted)
    {
        var parts = Cover(matches, piece.Text.Length, isInverted);
        var kept = behavior switch
        {
            SplitBehavior.Removed => parts.Where(static part => !part.IsMatch),
            SplitBehavior.Contiguous => Joined(parts, static (part, last) => part == last),
            SplitBehavior.MergedWithPrevious => Joined(parts, static (part, last) => part && !last),
            SplitBehavior.MergedWithNext => JoinedFromTheEnd(parts),
            _ => parts,
        };
        return kept.Select(part => piece.Slice(part.Start, part.End));
    }

    /// <summary>Matches and what is between them.</summary>
    private static List<(int Start, int End, bool IsMatch)> Cover(
        IReadOnlyList<TextMatch> matches, int length, bool isInverted)
    {
        var parts = new List<(int, int, bool)>((2 * matches.Count) + 1);
        var done = 0;
        foreach (var match in matches)
        {
            if (done != match.Start)
                parts.Add((done, match.Start, isInverted));
            parts.Add((match.Start, match.End, !isInverted));
            done = match.End;
        }

        if (done != length)
            parts.Add((done, length, isInverted));
        return parts;
    }

    /// <summary>Joins a part to the last where that is wanted of the two kinds; before the first comes no match.</summary>
    private static List<(int Start, int End, bool IsMatch)> Joined(
        IEnumerable<(int Start, int End, bool IsMatch)> parts, Func<bool, bool, bool> joins)
    {
        var joined = new List<(int Start, int End, bool IsMatch)>();
        var last = false;
        foreach (var part in parts)
        {
            if (joins(part.IsMatch, last) && joined.Count > 0)
                joined[^1] = (Math.Min(joined[^1].Start, part.Start), Math.Max(joined[^1].End, part.End), false);
            else
                joined.Add(part);
            last = part.IsMatch;
        }

        return joined;
    }

    private static List<(int Start, int End, bool IsMatch)> JoinedFromTheEnd(
        List<(int Start, int End, bool IsMatch)> parts)
    {
        parts.Reverse();
        var joined = Joined(parts, static (part, last) => part && !last);
        joined.Reverse();
        return joined;
    }
}

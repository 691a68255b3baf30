using System.Text;

namespace OrtPeft.Tokenizers;

/// <summary>
/// Cuts text at its added tokens by HF's rules: tokens on the raw text first, then those on normalised text in what
/// is left; leftmost and longest; single-word tokens only between non-word characters; strips take white space along.
/// </summary>
internal sealed class AddedTokenSplitter(IReadOnlyList<AddedToken> tokens)
{
    private readonly AddedTokenTrie _raw = new(tokens.Where(static token => !token.IsNormalized));
    private readonly AddedTokenTrie _normalized = new(tokens.Where(static token => token.IsNormalized));

    /// <summary>The segments of a text in order, none of them empty, without the stripped white space.</summary>
    public List<TextSegment> Split(ReadOnlySpan<char> text, SpecialTokenHandling handling)
    {
        List<TextSegment> whole = text.IsEmpty ? [] : [new TextSegment(0, text.Length, null)];
        return SplitBy(_normalized, text, SplitBy(_raw, text, whole, handling), handling);
    }

    private static List<TextSegment> SplitBy(
        AddedTokenTrie trie, ReadOnlySpan<char> text, List<TextSegment> segments, SpecialTokenHandling handling)
    {
        if (trie.IsEmpty)
            return segments;
        var result = new List<TextSegment>();
        foreach (var segment in segments)
        {
            if (segment.TokenId is null)
                SplitSegment(trie, text, segment, handling, result);
            else
                result.Add(segment);
        }

        return result;
    }

    private static void SplitSegment(
        AddedTokenTrie trie,
        ReadOnlySpan<char> text,
        TextSegment segment,
        SpecialTokenHandling handling,
        List<TextSegment> output)
    {
        var before = text[..segment.End];
        var done = segment.Start;
        var from = segment.Start;
        while (trie.TryFind(before, from, out var start, out var found) && found is { } token)
        {
            var end = start + token.Content.Length;
            from = end;
            var isText = token.IsSpecial && handling == SpecialTokenHandling.TreatAsText;
            if (isText || (token.IsSingleWord && !StandsAlone(before[segment.Start..], start - segment.Start, token)))
                continue;
            if (token.StripsLeft)
                start = Math.Max(done, segment.Start + before[segment.Start..start].TrimEnd().Length);
            // As in the library, a token that begins in white space that another one took is found all the same.
            if (token.StripsRight)
                end = segment.End - before[end..].TrimStart().Length;
            if (done < start)
                output.Add(new TextSegment(done, start, null));
            if (start < end)
                output.Add(new TextSegment(start, end, token.Id));
            done = end;
        }

        if (done < segment.End)
            output.Add(new TextSegment(done, segment.End, null));
    }

    private static bool StandsAlone(ReadOnlySpan<char> text, int start, AddedToken token)
    {
        Rune.DecodeLastFromUtf16(text[..start], out var before, out _);
        Rune.DecodeFromUtf16(text[(start + token.Content.Length)..], out var after, out _);
        // At either end of the text the decoders give U+FFFD, which is not a word character.
        return !CharacterClasses.IsWord(before.Value) && !CharacterClasses.IsWord(after.Value);
    }
}

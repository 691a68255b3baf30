using System.Text;
using OrtPeft.Tokenizers;

namespace OrtPeft.Training.Data.Chat;

/// <summary>Where in a text its tokens come from.</summary>
internal sealed class TokenPlaces
{
    private readonly ITokenizer _tokenizer;
    private readonly string _text;
    private readonly int[]? _ends; // of the tokens' bytes, in UTF-16 units rounded up to whole characters
    private readonly int[]? _starts;

    private TokenPlaces(ITokenizer tokenizer, string text, IReadOnlyList<int> ids)
    {
        _tokenizer = tokenizer;
        _text = text;
        Ids = ids;
        if (Find(tokenizer, text, ids) is var (starts, ends))
            (_starts, _ends) = (starts, ends);
    }

    public IReadOnlyList<int> Ids { get; }

    public static TokenPlaces Of(ITokenizer tokenizer, string text) => new(tokenizer, text, tokenizer.Encode(text));

    /// <summary>The tokens that overlap a stretch of the text by a character.</summary>
    public (int First, int End) Overlapping(int start, int end)
    {
        if (start >= end)
            return (0, 0);
        if (_starts is null || _ends is null)
            return (Before(start).Whole, Before(end).Begun);
        var first = Array.FindIndex(_ends, tokenEnd => tokenEnd > start);
        var last = Array.FindLastIndex(_starts, tokenStart => tokenStart < end);
        return first < 0 ? (0, 0) : (first, last + 1);
    }

    /// <summary>
    /// Of a tokenizer that changes the text: the tokens that the text before a place has by itself too, and those that
    /// were begun there.
    /// </summary>
    private (int Whole, int Begun) Before(int place)
    {
        var before = _tokenizer.Encode(_text.AsSpan(0, place));
        var whole = before.Zip(Ids).TakeWhile(static pair => pair.First == pair.Second).Count();
        return (whole, whole < before.Count && place < _text.Length ? Math.Min(whole + 1, Ids.Count) : whole);
    }

    /// <summary>Places by bytes; null where the tokens' bytes are not the text's.</summary>
    private static (int[] Starts, int[] Ends)? Find(ITokenizer tokenizer, string text, IReadOnlyList<int> ids)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var characters = Characters(text, bytes.Length);
        var starts = new int[ids.Count];
        var ends = new int[ids.Count];
        var at = 0;
        for (var i = 0; i < ids.Count; i++)
        {
            var token = tokenizer.GetBytes(ids[i]);
            if (!bytes.AsSpan(at).StartsWith(token))
                return null;
            starts[i] = characters[at];
            at += token.Length;
            ends[i] = at == 0 ? 0 : CharacterEnd(text, characters[at - 1]);
        }

        return at == bytes.Length ? (starts, ends) : null;
    }

    /// <summary>Where the character of each byte begins, and of the end.</summary>
    private static int[] Characters(string text, int byteCount)
    {
        var places = new int[byteCount + 1];
        var at = 0;
        var place = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            places.AsSpan(at, rune.Utf8SequenceLength).Fill(place);
            at += rune.Utf8SequenceLength;
            place += rune.Utf16SequenceLength;
        }

        places[byteCount] = text.Length;
        return places;
    }

    private static int CharacterEnd(string text, int start) =>
        start + (start + 1 < text.Length && char.IsSurrogatePair(text[start], text[start + 1]) ? 2 : 1);
}

using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.Normalizers;

/// <summary>Normalizers that look at one character at a time.</summary>
internal static class CharacterNormalizers
{
    /// <summary>Lower case of each character by itself: a final Σ becomes σ, İ becomes i with a dot above.</summary>
    public static AlignedText Lowercase(AlignedText text) => Map(text, static code =>
        UnicodeTables.Current.LowerCase.TryGetValue(code, out var lower) ? lower : null);

    /// <summary>Drops marks; what has an accent by itself keeps it unless it was decomposed before.</summary>
    public static AlignedText StripAccents(AlignedText text) => Map(text, static code =>
        code >= 0x300 && UnicodeTables.Current.Marks9.Contains(code) ? [] : null);

    /// <summary>SentencePiece's cleaning: control characters go, odd spaces become spaces.</summary>
    public static AlignedText Nmt(AlignedText text) => Map(text, static code => code switch
    {
        (>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F => [],
        0x09 or 0x0A or 0x0C or 0x0D or 0x1680 or (>= 0x200B and <= 0x200F) => [' '],
        0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD => [' '],
        _ => null,
    });

    /// <summary>White space at the ends goes.</summary>
    public static AlignedText Strip(AlignedText text, bool left, bool right)
    {
        var from = new CodePoints(text.Text);
        var start = left ? from.Units[from.Codes.TakeWhile(CharacterClasses.IsSpace).Count()] : 0;
        var spaces = right ? from.Codes.Reverse().TakeWhile(CharacterClasses.IsSpace).Count() : 0;
        var end = Math.Max(start, from.Units[from.Codes.Length - spaces]);
        var kept = Enumerable.Range(0, from.Codes.Length).Where(i => from.Units[i] >= start && from.Units[i] < end);
        return end - start == text.Text.Length ? text : text.With(from, kept.Select(i => (from.Codes[i], i)));
    }

    /// <summary>Spells UTF-8's bytes in the byte alphabet.</summary>
    public static AlignedText ByteLevel(AlignedText text) => PreTokenizers.ByteLevelSplit.SpellBytes(text);

    /// <summary>Puts none, one or more code points in the place of each; null keeps it.</summary>
    public static AlignedText Map(AlignedText text, Func<int, int[]?> map)
    {
        var from = new CodePoints(text.Text);
        var points = new List<(int, int)>(from.Codes.Length);
        var isChanged = false;
        foreach (var (i, code) in from.Codes.Index())
        {
            var mapped = map(code);
            isChanged |= mapped is not null;
            if (mapped is null)
                points.Add((code, i));
            else
                points.AddRange(mapped.Select(to => (to, i)));
        }

        return isChanged ? text.With(from, points) : text;
    }
}

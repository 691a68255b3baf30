using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>Runs of word characters and runs of symbols, without the white space between: <c>\w+|[^\w\s]+</c>.</summary>
internal static class WordSplit
{
    public static IEnumerable<AlignedText> Split(AlignedText piece)
    {
        var begun = 0;
        var last = Kind.Space;
        for (int unit = 0, width; unit < piece.Text.Length; unit += width)
        {
            var kind = KindOf(CodePoints.At(piece.Text, unit, out width));
            if (kind != last && last != Kind.Space)
                yield return piece.Slice(begun, unit);
            if (kind != last)
                begun = unit;
            last = kind;
        }

        if (last != Kind.Space)
            yield return piece.Slice(begun, piece.Text.Length);
    }

    private static Kind KindOf(int code)
    {
        if (CharacterClasses.IsSpace(code))
            return Kind.Space;
        return CharacterClasses.IsWord(code) ? Kind.Word : Kind.Symbol;
    }

    private enum Kind
    {
        Space,
        Word,
        Symbol,
    }
}

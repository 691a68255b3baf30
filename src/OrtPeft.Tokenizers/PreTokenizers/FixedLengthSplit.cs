using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.PreTokenizers;

/// <summary>Pieces of so many code points; the last may be shorter.</summary>
internal static class FixedLengthSplit
{
    public static PieceSplitter Of(int length) => piece =>
    {
        var units = new CodePoints(piece.Text).Units;
        var count = units.Length - 1;
        return Enumerable.Range(0, ((count - 1) / length) + 1)
            .Select(i => piece.Slice(units[i * length], units[(int)Math.Min(count, (i + 1L) * length)]));
    };
}

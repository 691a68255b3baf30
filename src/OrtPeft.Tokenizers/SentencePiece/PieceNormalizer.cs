using OrtPeft.Tokenizers.Alignment;
using OrtPeft.Tokenizers.Normalizers;
using OrtPeft.Tokenizers.Unicode;

namespace OrtPeft.Tokenizers.SentencePiece;

/// <summary>SentencePiece's own normaliser: its map of characters, longest sequences first, then spaces.</summary>
internal sealed class PieceNormalizer(ModelFile model, CharsMap? chars, AddedTokenTrie userDefined)
{
    private const int Space = ' ';
    private const int VisibleSpace = 0x2581;

    private int Written => model.ShowsSpaces ? VisibleSpace : Space;

    public AlignedText Apply(AlignedText text)
    {
        var from = new CodePoints(text.Text);
        var points = Map(text.Text, from);
        if (model.RemovesSpaces)
            points = WithoutExtraSpaces(points);
        if (points.Count == 0)
            return text.Slice(0, 0);
        points = [.. points.Select(p => p.Code == Space ? p with { Code = Written } : p)];
        if (model.AddsSpace && model.SpaceIsSuffix)
            points.Add((Written, points[^1].Source));
        var normalized = text.With(from, points);
        return model.AddsSpace && !model.SpaceIsSuffix
            ? normalized.Prepend(char.ConvertFromUtf32(Written))
            : normalized;
    }

    private List<(int Code, int Source)> Map(string text, CodePoints from)
    {
        var points = new List<(int, int)>(from.Codes.Length);
        for (var point = 0; point < from.Codes.Length;)
        {
            var unit = from.Units[point];
            var length = userDefined.LengthAt(text.AsSpan(unit));
            var mapped = length == 0 ? chars?.Find(text.AsSpan(unit), longest: true, out length) : null;
            if (mapped is not null)
            {
                var source = point;
                points.AddRange(new CodePoints(mapped).Codes.Select(code => (code, source)));
            }

            var end = mapped is null && length == 0 ? from.Units[point + 1] : unit + length;
            for (; from.Units[point] < end; point++)
            {
                if (mapped is null)
                    points.Add((from.Codes[point], point));
            }
        }

        return points;
    }

    private static List<(int Code, int Source)> WithoutExtraSpaces(List<(int Code, int Source)> points)
    {
        var kept = new List<(int Code, int Source)>(points.Count);
        foreach (var point in points)
        {
            if (point.Code != Space || (kept.Count > 0 && kept[^1].Code != Space))
                kept.Add(point);
        }
        // A visible space of the text's own goes at the end too.
        while (kept.Count > 0 && kept[^1].Code is Space or VisibleSpace)
            kept.RemoveAt(kept.Count - 1);
        return kept;
    }
}

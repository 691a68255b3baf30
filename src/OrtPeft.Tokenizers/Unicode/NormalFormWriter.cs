namespace OrtPeft.Tokenizers.Unicode;

/// <summary>
/// Brings text into a normal form, code point by code point, and keeps for each result the index of the code point it
/// came from.
/// </summary>
/// <seealso href="https://unicode.org/reports/tr15/">UAX 15</seealso>
internal sealed class NormalFormWriter(NormalForm form)
{
    private const int HangulBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11A7;
    private const int Vowels = 21;
    private const int Tails = 28;
    private const int Syllables = 19 * Vowels * Tails;

    private readonly List<(int Code, int Source, byte Class)> _points = [];

    private static UnicodeTables Tables => UnicodeTables.Current;

    private bool IsCompatible => form is NormalForm.CompatibilityComposed or NormalForm.CompatibilityDecomposed;

    private bool Composes => form is NormalForm.Composed or NormalForm.CompatibilityComposed;

    /// <summary>The normal form with the index in <paramref name="codes"/> that each code point comes from.</summary>
    public List<(int Code, int Source)> Write(ReadOnlySpan<int> codes)
    {
        _points.Clear();
        for (var i = 0; i < codes.Length; i++)
            Decompose(codes[i], i);
        Reorder();
        if (Composes)
            Compose();
        return [.. _points.Select(static p => (p.Code, p.Source))];
    }

    private void Decompose(int code, int source)
    {
        var syllable = code - HangulBase;
        if (syllable is >= 0 and < Syllables)
        {
            Add(LeadBase + (syllable / (Vowels * Tails)), source);
            Add(VowelBase + (syllable / Tails % Vowels), source);
            if (syllable % Tails > 0)
                Add(TailBase + (syllable % Tails), source);
            return;
        }

        var decomposes = Tables.Canonical.TryGetValue(code, out var parts)
            || (IsCompatible && Tables.Compatible.TryGetValue(code, out parts));
        if (!decomposes)
        {
            Add(code, source);
            return;
        }

        foreach (var part in parts!)
            Decompose(part, source);
    }

    private void Add(int code, int source) =>
        _points.Add((code, source, code < 0x300 ? (byte)0 : Tables.CombiningClasses.GetValueOrDefault(code)));

    /// <summary>Sorts every run of combining characters by class; equal ones keep their order.</summary>
    private void Reorder()
    {
        for (var start = 0; start < _points.Count; start++)
        {
            var end = start;
            while (end < _points.Count && _points[end].Class > 0)
                end++;
            if (end - start > 1)
                SortByClass(start, end);
            start = end;
        }
    }

    private void SortByClass(int start, int end)
    {
        foreach (var (i, point) in _points.GetRange(start, end - start).OrderBy(static p => p.Class).Index())
            _points[start + i] = point;
    }

    private void Compose()
    {
        var kept = 0;
        var starter = -1;
        var lastClass = -1;
        for (var i = 0; i < _points.Count; i++)
        {
            var (code, _, combining) = _points[i];
            var isBlocked = starter < 0 || (lastClass >= 0 && lastClass >= combining);
            if (!isBlocked && ComposePair(_points[starter].Code, code) is { } composed)
            {
                _points[starter] = _points[starter] with { Code = composed };
                continue;
            }

            if (combining == 0)
                (starter, lastClass) = (kept, -1);
            else
                lastClass = combining;
            _points[kept++] = _points[i];
        }

        _points.RemoveRange(kept, _points.Count - kept);
    }

    private static int? ComposePair(int first, int second)
    {
        var isLead = first is >= LeadBase and < LeadBase + 19;
        if (isLead && second is >= VowelBase and < VowelBase + Vowels)
            return HangulBase + ((((first - LeadBase) * Vowels) + second - VowelBase) * Tails);
        var syllable = first - HangulBase;
        var isOpen = syllable is >= 0 and < Syllables && syllable % Tails == 0;
        if (isOpen && second is > TailBase and < TailBase + Tails)
            return first + second - TailBase;
        return Tables.Compositions.TryGetValue((first, second), out var composed) ? composed : null;
    }
}

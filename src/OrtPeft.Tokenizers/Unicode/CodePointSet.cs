namespace OrtPeft.Tokenizers.Unicode;

/// <summary>A set of code points as sorted ranges that neither touch nor overlap. Immutable.</summary>
internal sealed class CodePointSet
{
    private readonly int[] _starts;
    private readonly int[] _ends;

    private CodePointSet(List<(int Start, int End)> ranges)
    {
        _starts = [.. ranges.Select(static r => r.Start)];
        _ends = [.. ranges.Select(static r => r.End)];
    }

    /// <summary>Every code point.</summary>
    public static CodePointSet All { get; } = Of((0, 0x110000));

    /// <summary>The set of half-open ranges in any order.</summary>
    public static CodePointSet Of(params IEnumerable<(int Start, int End)> ranges)
    {
        var merged = new List<(int Start, int End)>();
        foreach (var (start, end) in ranges.Where(static r => r.Start < r.End).Order())
        {
            if (merged.Count > 0 && merged[^1].End >= start)
                merged[^1] = (merged[^1].Start, Math.Max(merged[^1].End, end));
            else
                merged.Add((start, end));
        }

        return new CodePointSet(merged);
    }

    /// <summary>The code points for which a test holds; all 1,114,112 are asked.</summary>
    public static CodePointSet Where(Func<int, bool> holds)
    {
        var ranges = new List<(int, int)>();
        var start = -1;
        for (var code = 0; code <= 0x110000; code++)
        {
            var isIn = code < 0x110000 && holds(code);
            if (isIn && start < 0)
                start = code;
            if (isIn || start < 0)
                continue;
            ranges.Add((start, code));
            start = -1;
        }

        return new CodePointSet(ranges);
    }

    /// <summary>The half-open ranges in order.</summary>
    public IEnumerable<(int Start, int End)> Ranges => _starts.Zip(_ends);

    public bool Contains(int code)
    {
        var at = Array.BinarySearch(_starts, code);
        return at >= 0 || (~at > 0 && code < _ends[~at - 1]);
    }

    public CodePointSet Or(CodePointSet other) => Of(Ranges.Concat(other.Ranges));

    public CodePointSet And(CodePointSet other) => Not().Or(other.Not()).Not();

    public CodePointSet Not()
    {
        var gaps = new List<(int, int)>();
        var from = 0;
        foreach (var (start, end) in Ranges)
        {
            if (from < start)
                gaps.Add((from, start));
            from = end;
        }

        if (from < 0x110000)
            gaps.Add((from, 0x110000));
        return new CodePointSet(gaps);
    }
}

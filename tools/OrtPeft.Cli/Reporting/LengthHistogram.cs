namespace OrtPeft.Cli.Reporting;

/// <summary>How many rows have which length, as bars of characters.</summary>
internal static class LengthHistogram
{
    private const int Bars = 8;
    private const int Width = 40;

    public static IEnumerable<string> Lines(IReadOnlyList<int> lengths)
    {
        if (lengths.Count == 0)
            return [];
        var step = Math.Max(1, (lengths.Max() + Bars) / Bars);
        var counts = new int[(lengths.Max() / step) + 1];
        foreach (var length in lengths)
            counts[length / step]++;
        var most = counts.Max();
        return TextTable.Lines(counts.Select((count, i) => new[]
        {
            $"  {Human.Count(i * step)}–{Human.Count(((i + 1) * step) - 1)}",
            new string('█', (int)Math.Ceiling((double)count * Width / most)),
            count == 0 ? "" : Human.Count(count),
        }));
    }
}

namespace OrtPeft.Cli.Reporting;

/// <summary>Columns of text, each as wide as its widest cell.</summary>
internal static class TextTable
{
    public static IEnumerable<string> Lines(IEnumerable<string[]> rows)
    {
        var all = rows.ToArray();
        if (all.Length == 0)
            return [];
        var widths = Enumerable.Range(0, all[0].Length).Select(i => all.Max(row => row[i].Length)).ToArray();
        return all.Select(row => string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }
}

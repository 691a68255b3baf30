using System.Text.Json;

namespace OnDevice.Plain;

/// <summary>Rows of token ids, padded on the right: mask 0, label −100.</summary>
/// <param name="Shape">Rows and columns.</param>
/// <param name="Numbers">By input name, row after row.</param>
internal sealed record Batch(long[] Shape, IReadOnlyDictionary<string, long[]> Numbers)
{
    private const long Ignored = -100;

    public static Batch Of(IReadOnlyList<JsonElement> rows)
    {
        var columns = rows.Max(static r => r.GetProperty("input_ids").GetArrayLength());
        return new Batch([rows.Count, columns], new Dictionary<string, long[]>
        {
            ["input_ids"] = Column(rows, columns, "input_ids", static (_, _) => 0, 0),
            ["attention_mask"] = Column(rows, columns, "attention_mask", static (_, _) => 1, 0),
            ["labels"] = Column(
                rows, columns, "labels", static (row, i) => row.GetProperty("input_ids")[i].GetInt64(), Ignored),
            ["position_ids"] = [.. rows.SelectMany(_ => Enumerable.Range(0, columns).Select(static i => (long)i))],
        });
    }

    /// <summary>How many labels count: the first of a row is predicted only by a virtual token before it.</summary>
    public long Supervised(int virtualTokens) => Numbers["labels"]
        .Where((label, i) => label != Ignored && (virtualTokens > 0 || i % Shape[1] > 0)).Count();

    /// <summary>One field of all rows; <paramref name="missing"/> fills what a row leaves out.</summary>
    private static long[] Column(
        IEnumerable<JsonElement> rows, int columns, string name, Func<JsonElement, int, long> missing, long padding) =>
    [
        .. rows.SelectMany(row => Enumerable.Range(0, columns).Select(i =>
            i >= row.GetProperty("input_ids").GetArrayLength() ? padding
            : row.TryGetProperty(name, out var numbers) ? numbers[i].GetInt64()
            : missing(row, i))),
    ];
}

namespace OrtPeft.Training.Reports;

/// <summary>A line of a chart.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Style">The style's name: colour and width.</param>
/// <param name="Points">From left to right. Where y is not finite the line breaks.</param>
/// <param name="HasDots">Whether each point is marked.</param>
internal sealed record Curve(string Name, string Style, IReadOnlyList<(double X, double Y)> Points, bool HasDots = false)
{
    private const int Buckets = 400;
    private const double Largest = 1e300;

    /// <summary>The points that can be drawn.</summary>
    public IEnumerable<(double X, double Y)> Drawn => Points.Where(static p => IsDrawn(p.Y));

    /// <summary>Whether a value has a place on an axis.</summary>
    public static bool IsDrawn(double y) => Math.Abs(y) < Largest;

    /// <summary>
    /// As many points as can be told apart: of each stretch of a long line its first, lowest, highest and last, so that no
    /// peak is lost.
    /// </summary>
    public IReadOnlyList<(double X, double Y)> Thinned()
    {
        if (Points.Count <= 4 * Buckets)
            return Points;
        var kept = new List<(double X, double Y)>();
        for (var bucket = 0; bucket < Buckets; bucket++)
        {
            var (start, end) = (Start(bucket), Start(bucket + 1));
            int[] drawn = [.. Enumerable.Range(start, end - start).Where(i => IsDrawn(Points[i].Y))];
            if (drawn.Length == 0)
            {
                kept.Add((Points[start].X, double.NaN));
                continue;
            }

            int[] of = [drawn[0], drawn.MinBy(i => Points[i].Y), drawn.MaxBy(i => Points[i].Y), drawn[^1]];
            kept.AddRange(of.Distinct().Order().Select(i => Points[i]));
        }

        return kept;
    }

    private int Start(int bucket) => (int)((long)bucket * Points.Count / Buckets);
}

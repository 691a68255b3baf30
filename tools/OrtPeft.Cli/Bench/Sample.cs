namespace OrtPeft.Cli.Bench;

/// <summary>A summary of repeated measurements.</summary>
internal static class Sample
{
    /// <summary>The middle value, or the mean of the middle two; at least one value is needed.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

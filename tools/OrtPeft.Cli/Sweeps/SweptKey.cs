using System.Globalization;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Cli.Sweeps;

/// <summary>A key of a run's file that a sweep tries with several values: those of a list, or any of a range.</summary>
/// <param name="Key">The key, as an option is called.</param>
/// <param name="Values">The values; empty for a range.</param>
internal sealed record SweptKey(string Key, IReadOnlyList<string> Values)
{
    /// <summary>The ends of a range; null for a list.</summary>
    public (double Least, double Most)? Range { get; init; }

    /// <summary>Whether equal ratios are equally likely.</summary>
    public bool IsLogarithmic { get; init; }

    /// <summary>Whether only whole numbers are drawn.</summary>
    public bool IsWhole { get; init; }

    /// <summary>Draws a value.</summary>
    public string Draw(SplitMix64 random)
    {
        if (Range is not var (least, most))
            return Values[(int)random.NextBelow(Values.Count)];
        var share = random.NextDouble();
        if (IsWhole && !IsLogarithmic)
            return Text(least + Math.Floor(share * (most - least + 1)));
        var value = IsLogarithmic
            ? Math.Exp(Math.Log(least) + (share * (Math.Log(most) - Math.Log(least))))
            : least + (share * (most - least));
        return IsWhole
            ? Text(Math.Clamp(Math.Round(value), least, most))
            : Math.Clamp(Rounded(value), least, most).ToString("R", CultureInfo.InvariantCulture);
    }

    /// <summary>Four digits say enough of a value that was drawn.</summary>
    private static double Rounded(double value) =>
        double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static string Text(double whole) => whole.ToString("F0", CultureInfo.InvariantCulture);
}

using System.Globalization;

namespace OrtPeft.Cli.Reporting;

/// <summary>Numbers as people read them, the same in every culture.</summary>
internal static class Human
{
    private static readonly string[] ByteUnits = ["B", "kB", "MB", "GB", "TB"];

    /// <summary><c>1,234,567</c>.</summary>
    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A count with its noun, <c>1 row</c> or <c>1,234 rows</c>.</summary>
    public static string Count(long number, string noun) => $"{Count(number)} {noun}{(number == 1 ? "" : "s")}";

    /// <summary><c>1.24 GB</c>, in powers of 1000.</summary>
    public static string Bytes(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 999.5 && unit < ByteUnits.Length - 1; unit++)
            value /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{Three(value, unit == 0)} {ByteUnits[unit]}");
    }

    /// <summary><c>0.42 s</c>, <c>12.3 s</c>, <c>4:05</c> minutes, or <c>1:02:03</c> hours.</summary>
    public static string Time(TimeSpan time) => time switch
    {
        { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{Three(time.TotalSeconds, false)} s"),
        { TotalHours: < 1 } => time.ToString(@"m\:ss", CultureInfo.InvariantCulture),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time:mm\\:ss}"),
    };

    /// <summary>Four digits after the point, or <c>n/a</c> when there is no number.</summary>
    public static string Loss(double loss) =>
        double.IsFinite(loss) ? loss.ToString("F4", CultureInfo.InvariantCulture) : "n/a";

    /// <summary>A number as programs write it, such as <c>2048</c> or <c>NaN</c>.</summary>
    public static string Plain(double number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A rate of change, <c>2.00e-04</c> or <c>0</c>.</summary>
    public static string Rate(double rate) => rate == 0 ? "0" : rate.ToString("0.00e+00", CultureInfo.InvariantCulture);

    private static string Three(double value, bool whole) =>
        value.ToString(whole || value >= 99.95 ? "F0" : value >= 9.995 ? "F1" : "F2", CultureInfo.InvariantCulture);
}

using System.Globalization;

namespace OrtPeft.Training.Reports;

/// <summary>An axis with round numbers on it.</summary>
internal sealed class ChartAxis
{
    private const int MostTicks = 6;

    /// <summary>From this ratio of the highest to the lowest value on, an axis of powers shows more.</summary>
    private const double RatioOfPowers = 20;

    /// <summary>Up to this ratio a power of ten has three ticks.</summary>
    private const double MostOfAllFactors = 1000;

    private static readonly double[] RoundFactors = [1, 2, 5];

    private readonly double _step;
    private readonly Func<double, double> _scale;

    private ChartAxis(double least, double most, double step, Func<double, double> scale) =>
        (Least, Most, _step, _scale) = (least, most, step, scale);

    public double Least { get; }

    public double Most { get; }

    /// <summary>Whether equal distances are equal ratios.</summary>
    public bool IsOfPowers => _scale == Math.Log10;

    /// <summary>The round numbers within the axis.</summary>
    public IReadOnlyList<double> Ticks => IsOfPowers ? [.. Powers()] : [.. Multiples()];

    /// <summary>An axis of values; it ends where they do, with some space.</summary>
    /// <param name="values">The values.</param>
    /// <param name="mayBeOfPowers">Whether ratios may be shown where the values differ by much.</param>
    public static ChartAxis OfValues(IReadOnlyList<double> values, bool mayBeOfPowers)
    {
        var (least, most) = Ends(values);
        if (mayBeOfPowers && least > 0 && most / least >= RatioOfPowers)
        {
            var space = Math.Pow(most / least, 0.04);
            return new ChartAxis(least / space, most * space, least, Math.Log10);
        }

        if (least == most)
        {
            var around = least == 0 ? 1 : Math.Abs(least) / 2;
            (least, most) = (least - around, most + around);
        }

        var room = (most - least) * 0.04;
        var low = least >= 0 && least - room < 0 ? 0 : least - room;
        return new ChartAxis(low, most + room, RoundStep((most - least) / MostTicks), static value => value);
    }

    /// <summary>An axis of whole numbers, which ends exactly where they do.</summary>
    public static ChartAxis OfSteps(IReadOnlyList<double> values)
    {
        var (least, most) = Ends(values);
        if (least == most)
            most = least + 1;
        return new ChartAxis(least, most, Math.Max(1, RoundStep((most - least) / MostTicks)), static value => value);
    }

    /// <summary>Where a value is, 0 at the least and 1 at the most.</summary>
    public double Place(double value) => (_scale(value) - _scale(Least)) / (_scale(Most) - _scale(Least));

    /// <summary>A value of the axis as text.</summary>
    public string Text(double value)
    {
        var largest = Math.Max(Math.Abs(Least), Math.Abs(Most));
        if (largest is >= 1e7 or < 1e-2)
            return value == 0 ? "0" : value.ToString("0.##e+0", CultureInfo.InvariantCulture);
        if (IsOfPowers)
            return value.ToString(value >= 1 ? "N0" : "0.######", CultureInfo.InvariantCulture);
        var digits = Math.Clamp((int)Math.Ceiling(-Math.Log10(_step)), 0, 6);
        return (value == 0 ? 0 : value).ToString($"N{digits}", CultureInfo.InvariantCulture);
    }

    private IEnumerable<double> Multiples()
    {
        var first = Math.Ceiling((Least / _step) - 1e-9);
        for (var i = 0; i <= MostTicks && (first + i) * _step <= Most + (_step * 1e-9); i++)
            yield return (first + i) * _step;
    }

    /// <summary>1, 2 and 5 times each power of ten, or each so many powers where there are more.</summary>
    private IEnumerable<double> Powers()
    {
        var (first, last) = ((int)Math.Floor(Math.Log10(Least)), (int)Math.Ceiling(Math.Log10(Most)));
        var distance = Math.Max(1, (last - first + MostTicks - 1) / MostTicks);
        var factors = Most / Least <= MostOfAllFactors ? RoundFactors : [1];
        for (var power = first; power <= last; power += distance)
        {
            foreach (var tick in factors.Select(factor => factor * Math.Pow(10, power)))
            {
                if (tick >= Least && tick <= Most)
                    yield return tick;
            }
        }
    }

    private static (double Least, double Most) Ends(IEnumerable<double> values)
    {
        var (least, most) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var value in values)
            (least, most) = (Math.Min(least, value), Math.Max(most, value));
        return least > most ? (0, 1) : (least, most);
    }

    /// <summary>The next of 1, 2, 5, 10, … times a power of ten.</summary>
    private static double RoundStep(double least)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        var factor = (least / power) switch
        {
            <= 1 + 1e-9 => 1,
            <= 2 + 1e-9 => 2,
            <= 5 + 1e-9 => 5,
            _ => 10,
        };
        return factor * power;
    }
}

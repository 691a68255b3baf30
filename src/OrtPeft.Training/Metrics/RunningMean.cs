namespace OrtPeft.Training.Metrics;

/// <summary>
/// A mean that forgets: an exponential one, corrected for its start so that it begins at the first value rather than
/// at 0. Values that are not finite are passed over. Not thread-safe.
/// </summary>
/// <param name="window">About how many values it remembers, at least 1.</param>
public sealed class RunningMean(double window)
{
    private readonly double _kept = 1 - (2 / (Math.Max(window, 1) + 1));
    private double _sum;
    private double _weight;

    /// <summary>The mean; NaN before the first value.</summary>
    public double Value => _weight > 0 ? _sum / _weight : double.NaN;

    /// <summary>How many values a run's curve is smoothed over: a twentieth of its steps, at least 10.</summary>
    /// <param name="steps">The run's steps.</param>
    /// <returns>A window.</returns>
    public static double WindowFor(int steps) => Math.Max(10, steps / 20.0);

    /// <summary>Takes a value in.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The mean with it.</returns>
    public double Add(double value)
    {
        if (!double.IsFinite(value))
            return Value;
        _sum = (_sum * _kept) + (value * (1 - _kept));
        _weight = (_weight * _kept) + (1 - _kept);
        return Value;
    }
}

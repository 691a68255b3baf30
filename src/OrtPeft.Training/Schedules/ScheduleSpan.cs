namespace OrtPeft.Training.Schedules;

/// <summary>A run as its schedule sees it.</summary>
/// <param name="Warmup">W, the steps of the warm-up, 0 or more.</param>
/// <param name="Total">N, the steps of the run, 1 or more.</param>
/// <param name="Rate">The peak rate, for settings that are rates themselves.</param>
/// <param name="Settings">The schedule's own settings.</param>
internal sealed record ScheduleSpan(int Warmup, int Total, double Rate, ScheduleSettings Settings)
{
    /// <summary>The share of the steps after the warm-up that a step has before it; where none are left (W ≥ N), they
    /// count as one.</summary>
    public double Progress(int step) => (step - (double)Warmup) / Math.Max(1, Total - (double)Warmup);
}

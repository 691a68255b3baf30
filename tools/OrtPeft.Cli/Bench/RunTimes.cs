namespace OrtPeft.Cli.Bench;

/// <summary>The same work timed in several rounds.</summary>
/// <param name="MedianMilliseconds">Half of the rounds took longer. Milliseconds.</param>
/// <param name="LeastMilliseconds">The fastest round. Milliseconds.</param>
/// <param name="Ratio">The median over rounds of this time over the base's in the same round, so that what slows the
/// machine for a while slows both: 1.05 is 5 % slower than the base. The base's own is 1.</param>
internal sealed record RunTimes(double MedianMilliseconds, double LeastMilliseconds, double Ratio);

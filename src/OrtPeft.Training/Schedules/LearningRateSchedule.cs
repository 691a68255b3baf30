using System.Collections.Frozen;
using System.Collections.Immutable;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Schedules;

/// <summary>
/// The factor on the learning rate at each step, as Hugging Face transformers defines it. With W warm-up steps of N,
/// step i (from 0) has i/W while i &lt; W, so the first step of a warm-up does not move; then the schedule's own.
/// Immutable.
/// </summary>
/// <seealso href="https://huggingface.co/docs/transformers/main_classes/optimizer_schedules"/>
internal sealed class LearningRateSchedule
{
    // After the warm-up; where nothing is left of the run (W ≥ N) the span counts as one step.
    private static readonly FrozenDictionary<string, Func<int, int, int, double>> Table =
        new Dictionary<string, Func<int, int, int, double>>
        {
            ["constant"] = static (_, _, _) => 1,
            ["linear"] = static (i, w, n) => Math.Max(0, n - i) / (double)Math.Max(1, n - w),
            ["cosine"] = static (i, w, n) => 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, Progress(i, w, n)))),
        }.ToFrozenDictionary();

    private readonly Func<int, int, int, double> _afterWarmup;
    private readonly int _warmupSteps;
    private readonly int _totalSteps;

    private LearningRateSchedule(Func<int, int, int, double> afterWarmup, int warmupSteps, int totalSteps)
    {
        _afterWarmup = afterWarmup;
        _warmupSteps = warmupSteps;
        _totalSteps = totalSteps;
    }

    /// <summary>The names <see cref="Create"/> knows, sorted.</summary>
    public static ImmutableArray<string> Names { get; } = [.. Table.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Looks a schedule up and fixes its span.</summary>
    /// <param name="name">
    /// <c>constant</c> (1), <c>linear</c> ((N − i)/(N − W), to 0 at N) or <c>cosine</c> (½(1 + cos π(i − W)/(N − W)),
    /// to 0 at N).
    /// </param>
    /// <param name="warmupSteps">W, 0 or more; above N the run ends before the warm-up does.</param>
    /// <param name="totalSteps">N, the optimiser steps of the run, at least 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">No schedule has that name; the message lists those there are.</exception>
    /// <exception cref="ArgumentOutOfRangeException">W is negative or N below 1.</exception>
    public static LearningRateSchedule Create(string name, int warmupSteps, int totalSteps)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfNegative(warmupSteps);
        ArgumentOutOfRangeException.ThrowIfLessThan(totalSteps, 1);
        if (!Table.TryGetValue(name, out var afterWarmup))
        {
            throw new SettingException(
                $"No schedule is called '{name}'; expected one of {string.Join(", ", Names)}.");
        }

        return new LearningRateSchedule(afterWarmup, warmupSteps, totalSteps);
    }

    /// <summary>The factor on the learning rate, in 0..1.</summary>
    /// <param name="step">The step, from 0; from N on the value at N stays.</param>
    /// <returns>The factor.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The step is negative.</exception>
    public double Factor(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return step < _warmupSteps
            ? step / (double)_warmupSteps
            : _afterWarmup(step, _warmupSteps, _totalSteps);
    }

    private static double Progress(int step, int warmupSteps, int totalSteps) =>
        (step - warmupSteps) / (double)Math.Max(1, totalSteps - warmupSteps);
}

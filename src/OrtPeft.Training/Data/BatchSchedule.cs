using System.Collections.Immutable;
using OrtPeft.Tensors;

namespace OrtPeft.Training.Data;

/// <summary>
/// The batches of each optimiser step. A step takes the next G micro-batches (G = gradient accumulation) of its epoch;
/// steps do not reach over the end of an epoch, so the last step of one may take fewer. Safe to use from several
/// threads.
/// </summary>
internal sealed class BatchSchedule
{
    private readonly BatchOrder _order;
    private readonly int _accumulation;

    private BatchSchedule(BatchOrder order, int gradientAccumulation, Func<int, int> totalSteps)
    {
        ArgumentNullException.ThrowIfNull(order);
        ArgumentOutOfRangeException.ThrowIfLessThan(gradientAccumulation, 1);
        _order = order;
        _accumulation = gradientAccumulation;
        StepsPerEpoch = (int)(((long)order.BatchesPerEpoch + gradientAccumulation - 1) / gradientAccumulation);
        TotalSteps = totalSteps(StepsPerEpoch);
    }

    /// <summary>Optimiser steps in an epoch: ceil(batches / G).</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Optimiser steps in the run.</summary>
    public int TotalSteps { get; }

    /// <summary>A run over the data a number of times.</summary>
    /// <param name="order">The batches of each epoch.</param>
    /// <param name="gradientAccumulation">Micro-batches G to a step, at least 1.</param>
    /// <param name="epochs">Above 0; a fraction is rounded up to a whole step.</param>
    /// <returns>The schedule, of ceil(epochs · steps per epoch) steps.</returns>
    /// <exception cref="ArgumentOutOfRangeException">
    /// G is below 1, or the epochs are not above 0 or make more than 2³¹ − 1 steps.
    /// </exception>
    public static BatchSchedule ForEpochs(BatchOrder order, int gradientAccumulation, double epochs) =>
        new(order, gradientAccumulation, stepsPerEpoch =>
        {
            var steps = Math.Ceiling(epochs * stepsPerEpoch);
            return steps is >= 1 and <= int.MaxValue
                ? (int)steps
                : throw new SettingException(FormattableString.Invariant(
                    $"The epochs are {epochs}; they must be above 0 and make at most {int.MaxValue} steps."));
        });

    /// <summary>A run of a given length, over the data as often as it takes.</summary>
    /// <param name="order">The batches of each epoch.</param>
    /// <param name="gradientAccumulation">Micro-batches G to a step, at least 1.</param>
    /// <param name="steps">Optimiser steps, at least 1.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">G or the steps are below 1.</exception>
    public static BatchSchedule ForSteps(BatchOrder order, int gradientAccumulation, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        return new BatchSchedule(order, gradientAccumulation, _ => steps);
    }

    /// <summary>The micro-batches of a step, to be summed up before the one update. Any step, in any order.</summary>
    /// <param name="step">The step, 0..<see cref="TotalSteps"/>−1.</param>
    /// <returns>Row numbers per micro-batch, 1 to G of them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The run has no such step.</exception>
    public ImmutableArray<ImmutableArray<int>> MicroBatches(int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, TotalSteps);
        (var epoch, var stepInEpoch) = Math.DivRem(step, StepsPerEpoch);
        var first = stepInEpoch * _accumulation;
        var count = Math.Min(_accumulation, _order.BatchesPerEpoch - first);
        return [.. Enumerable.Range(first, count).Select(batch => _order.Rows(epoch, batch))];
    }

    /// <summary>How often the data has been gone through after a number of steps, counted in batches.</summary>
    /// <param name="completedSteps">Steps done, 0 or more.</param>
    /// <returns>Epochs, whole at the end of each: with 4 batches and G = 1 it is 0.25 after one step.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is negative.</exception>
    public double EpochsAfter(int completedSteps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(completedSteps);
        (var epoch, var stepInEpoch) = Math.DivRem(completedSteps, StepsPerEpoch);
        return epoch + (double)stepInEpoch * _accumulation / _order.BatchesPerEpoch;
    }
}

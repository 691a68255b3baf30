using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace OrtPeft.Training;

/// <summary>Training beside other work, its progress a stream.</summary>
public static class TrainingStream
{
    /// <summary>
    /// Trains on a thread of its own, as
    /// <see cref="Trainer.Train(IProgress{TrainingProgress}?, CancellationToken)"/> does, and gives what it reports.
    /// The run does not wait for the reader. Leaving the loop early stops it after the step under way.
    /// </summary>
    /// <param name="trainer">The trainer; not to be disposed before the stream has ended.</param>
    /// <param name="cancellation">Stops after the step under way.</param>
    /// <returns>A report after every step, and one before the first where the model is evaluated then. The stream ends
    /// when the model has its weights and the last checkpoint is written, also where the run was stopped.</returns>
    /// <exception cref="OperationCanceledException">The run was cancelled before its last step.</exception>
    /// <exception cref="ArgumentException">The checkpoint belongs to another run.</exception>
    /// <exception cref="TrainingFailedException">The loss is not finite, or the checkpoint is damaged.</exception>
    /// <exception cref="InvalidOperationException">The trainer has run before, and is not to resume.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static IAsyncEnumerable<TrainingProgress> TrainAsync(
        this Trainer trainer, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        return Reports(trainer, cancellation);
    }

    private static async IAsyncEnumerable<TrainingProgress> Reports(
        Trainer trainer, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var reports = Channel.CreateUnbounded<TrainingProgress>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var run = Task.Factory.StartNew(
            () => Run(trainer, reports.Writer, stop.Token),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            // The run itself looks at the token, and ends the stream when it has stopped.
            await foreach (var report in reports.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                yield return report;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await run.ConfigureAwait(false);
        }

        if (!(await run.ConfigureAwait(false)).IsComplete)
            throw new OperationCanceledException(cancellation);
    }

    private static TrainingResult Run(
        Trainer trainer, ChannelWriter<TrainingProgress> reports, CancellationToken cancellation)
    {
        try
        {
            return trainer.Train(new Writer(reports), cancellation);
        }
        finally
        {
            reports.Complete();
        }
    }

    private sealed class Writer(ChannelWriter<TrainingProgress> reports) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => reports.TryWrite(value);
    }
}

using OrtPeft.Training;
using Spectre.Console;

namespace OrtPeft.Cli.Reporting;

/// <summary>Shows how a run goes: live on a terminal, else in lines at sensible distances.</summary>
internal static class TrainingReport
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenFrames = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs the training and reports on it.</summary>
    /// <param name="run">Where reports go.</param>
    /// <param name="train">The training; takes what it reports to.</param>
    /// <param name="also">Is told of each step too, after the user.</param>
    /// <returns>What the training returned.</returns>
    public static TrainingResult Follow(
        Invocation run,
        Func<IProgress<TrainingProgress>, TrainingResult> train,
        Action<TrainingProgress> also)
    {
        if (run.IsJson)
            return train(new Receiver(also));
        return run.Host.Terminal is { } terminal
            ? Live(run, terminal, shown => train(And(shown)))
            : train(And(Lines(run)));

        Receiver And(IProgress<TrainingProgress> shown) => new(progress =>
        {
            shown.Report(progress);
            also(progress);
        });
    }

    /// <summary>The first step, then after 10 % or five seconds, and whatever happens besides steps.</summary>
    private static Receiver Lines(Invocation run)
    {
        var (clock, started, last) = (run.Host.Clock, run.Host.Clock.GetTimestamp(), 0);
        return new Receiver(progress =>
        {
            var step = progress.Step;
            if (step == 0)
            {
                foreach (var line in Events(progress))
                    run.Say(line);
                return;
            }

            var isDue = last == 0 || step == progress.TotalSteps || step - last >= Math.Max(1, progress.TotalSteps / 10)
                || clock.GetElapsedTime(started) >= BetweenLines;
            if (isDue)
                (started, last) = (clock.GetTimestamp(), step);
            if (isDue)
                run.Say(Describe(progress));
            foreach (var line in Events(progress))
                run.Say(line);
        });
    }

    private static TrainingResult Live(
        Invocation run, IAnsiConsole terminal, Func<IProgress<TrainingProgress>, TrainingResult> train)
    {
        ProgressColumn[] columns = [new ProgressBarColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }];
        return terminal.Progress().AutoRefresh(false).Columns(columns).Start(display =>
        {
            var task = display.AddTask("preparing");
            var (clock, shown) = (run.Host.Clock, 0L);
            return train(new Receiver(progress =>
            {
                task.MaxValue = progress.TotalSteps;
                task.Value = progress.Step;
                if (progress.Step > 0)
                    task.Description = Markup.Escape(Describe(progress));
                foreach (var line in Events(progress))
                    terminal.WriteLine(line);
                var isLast = progress.Step == progress.TotalSteps;
                if (!isLast && shown != 0 && clock.GetElapsedTime(shown) < BetweenFrames)
                    return;
                shown = clock.GetTimestamp();
                display.Refresh();
            }));
        });
    }

    private static string Describe(TrainingProgress progress)
    {
        var step = progress.Metrics;
        var left = progress.Remaining > TimeSpan.Zero ? $", {Human.Time(progress.Remaining)} left" : "";
        var speed = $"{Human.Count((long)step.TokensPerSecond)} tokens/s";
        var rate = Human.Rate(step.LearningRate);
        return $"step {step.Step}/{progress.TotalSteps}: loss {Human.Loss(step.Loss)}, lr {rate}, {speed}{left}";
    }

    private static IEnumerable<string> Events(TrainingProgress progress)
    {
        if (progress.Evaluation is { } evaluation)
        {
            var perplexity = Human.Loss(evaluation.Perplexity);
            var when = evaluation.Step == 0 ? "before training" : $"step {evaluation.Step}";
            yield return $"{when}: eval loss {Human.Loss(evaluation.Loss)}, perplexity {perplexity}";
        }

        if (progress.Checkpoint is { } checkpoint)
            yield return $"step {progress.Step}: wrote {checkpoint}";
    }

    /// <summary>Hands reports on at once; <see cref="Progress{T}"/> would queue them for another thread.</summary>
    private sealed class Receiver(Action<TrainingProgress> receive) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => receive(value);
    }
}

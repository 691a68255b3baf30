using OrtPeft.Training;
using OrtPeft.Training.Metrics;
using Spectre.Console;

namespace OrtPeft.Cli.Reporting;

/// <summary>Shows how a run goes: live on a terminal, else in lines at sensible distances.</summary>
internal static class TrainingReport
{
    private const int LongestAnswer = 400;

    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);

    /// <summary>Trains; takes what it reports steps and what goes on between them to.</summary>
    public delegate TrainingResult Training(IProgress<TrainingProgress> progress, IProgress<TrainingActivity> activity);

    /// <summary>Runs the training and reports on it.</summary>
    /// <param name="run">Where reports go.</param>
    /// <param name="train">The training.</param>
    /// <param name="also">Is told of each step too, after the user.</param>
    /// <returns>What the training returned.</returns>
    public static TrainingResult Follow(Invocation run, Training train, Action<TrainingProgress> also)
    {
        if (run.IsJson)
            return train(new Receiver<TrainingProgress>(also), new Receiver<TrainingActivity>(static _ => { }));
        return run.Host.Terminal is { } terminal
            ? Live(terminal, (shown, activity) => train(And(shown), activity))
            : train(And(Lines(run)), new Receiver<TrainingActivity>(static _ => { }));

        Receiver<TrainingProgress> And(IProgress<TrainingProgress> shown) => new(progress =>
        {
            shown.Report(progress);
            also(progress);
        });
    }

    /// <summary>The first step, then after 10 % or five seconds, and whatever happens besides steps.</summary>
    private static Receiver<TrainingProgress> Lines(Invocation run)
    {
        var (clock, started, last) = (run.Host.Clock, run.Host.Clock.GetTimestamp(), 0);
        var (line, asked) = (new ProgressLine(), new HashSet<string>(StringComparer.Ordinal));
        return new Receiver<TrainingProgress>(progress =>
        {
            var step = progress.Step;
            var text = line.Of(progress);
            var isDue = step > 0 && (last == 0 || step == progress.TotalSteps
                || step - last >= Math.Max(1, progress.TotalSteps / 10) || clock.GetElapsedTime(started) >= BetweenLines);
            if (isDue)
            {
                (started, last) = (clock.GetTimestamp(), step);
                run.Say(text);
            }

            foreach (var happened in Events(progress, asked))
                run.Say(happened);
        });
    }

    /// <summary>A bar that moves by itself too, so that the screen is never still.</summary>
    private static TrainingResult Live(IAnsiConsole terminal, Training train)
    {
        ProgressColumn[] columns =
            [new SpinnerColumn(), new ProgressBarColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }];
        return terminal.Progress().Columns(columns).Start(display =>
        {
            var (task, line, text) = (display.AddTask("preparing"), new ProgressLine(), "");
            var asked = new HashSet<string>(StringComparer.Ordinal);
            return train(
                new Receiver<TrainingProgress>(progress =>
                {
                    task.MaxValue = progress.TotalSteps;
                    task.Value = progress.Step;
                    text = progress.Step > 0 ? line.Of(progress) : text;
                    task.Description = Markup.Escape(text.Length > 0 ? text : "preparing");
                    foreach (var happened in Events(progress, asked))
                        terminal.WriteLine(happened);
                }),
                new Receiver<TrainingActivity>(activity => task.Description = Markup.Escape(
                    $"{(text.Length > 0 ? $"{text.Split(':')[0]}: " : "")}{activity.What} {activity.Done}/{activity.Total}")));
        });
    }

    private static IEnumerable<string> Events(TrainingProgress progress, HashSet<string> asked)
    {
        var when = progress.Step == 0 ? "before training" : $"step {progress.Step}";
        foreach (var (i, answer) in progress.Answers.Index())
        {
            if (asked.Add(answer.Prompt))
            {
                yield return $"sample {i + 1}: {OneLine(answer.Prompt)}";
                if (answer.Expected is { } expected)
                    yield return $"sample {i + 1}, expected: {OneLine(expected)}";
            }

            yield return $"{when}: sample {i + 1}: {OneLine(answer.Text)}";
        }

        if (progress.Metrics.IsSkipped)
            yield return $"{when}: left out, since its gradients overflow float16; the loss scale is halved";
        if (progress.Evaluation is { } evaluation)
        {
            var more = EvaluationMetric.All.Where(m => !m.IsAlwaysMeasured && !double.IsNaN(m.Of(evaluation)))
                .Select(m => $", {m.Name} {Human.Loss(m.Of(evaluation))}");
            yield return $"{when}: eval loss {Human.Loss(evaluation.Loss)}, perplexity {Human.Loss(evaluation.Perplexity)}"
                + string.Concat(more);
        }

        if (progress.Checkpoint is { } checkpoint)
            yield return $"step {progress.Step}: wrote {checkpoint}";
    }

    /// <summary>A text on one line, its end kept where it is long: that is where a prompt asks.</summary>
    public static string OneLine(string text)
    {
        var line = string.Concat(text.Trim().ReplaceLineEndings("⏎").Select(static c => char.IsControl(c) ? '·' : c));
        return line.Length <= LongestAnswer ? line : $"…{line[^LongestAnswer..]}";
    }

    /// <summary>Hands reports on at once; <see cref="Progress{T}"/> would queue them for another thread.</summary>
    private sealed class Receiver<T>(Action<T> receive) : IProgress<T>
    {
        public void Report(T value) => receive(value);
    }
}

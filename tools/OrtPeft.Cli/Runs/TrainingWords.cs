using System.Globalization;
using System.Text.Json.Nodes;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Config;
using OrtPeft.Cli.Errors;
using OrtPeft.Cli.Reporting;
using OrtPeft.Training;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Runs;

/// <summary>The messages of a run before and after it, and when it is to stop.</summary>
internal static class TrainingWords
{
    /// <summary>Says how much there is to do, and what memory it takes.</summary>
    public static void Describe(Invocation run, TrainingRun training)
    {
        var (rows, trainer) = (training.Rows, training.Trainer);
        var tokens = Human.Count(rows.Sum(static r => (long)r.Length), "token");
        var supervised = Human.Count(rows.Sum(static r => (long)r.SupervisedTokens), "supervised token");
        var (steps, epochs) = (Human.Count(trainer.TotalSteps, "step"), trainer.TotalEpochs);
        run.Say($"data: {Human.Count(rows.Count, "row")}, {tokens}, {supervised}, {steps}, "
            + string.Create(CultureInfo.InvariantCulture, $"{epochs:0.##} epoch{(epochs == 1 ? "" : "s")}"));
        if (epochs < 1)
        {
            run.Note(string.Create(
                CultureInfo.InvariantCulture,
                $"The run ends before it has seen all rows: {100 * (1 - epochs):F0} % of them are never learned."));
        }

        if (TimeOf(training) is { } time)
            run.Say($"time: about {Human.Time(time)}, going by this machine's speed of matrix products");
        if (trainer.Memory is not { } memory)
            return;
        var again = memory.Again > 0 ? $"; {memory.Again:P0} of the forward pass runs twice" : "";
        run.Say(
            $"memory: about {Human.Bytes(memory.Total)}: {Human.Bytes(memory.Weights)} for weights, "
            + $"{Human.Bytes(memory.Activations)} for activations{again}");
    }

    private static TimeSpan? TimeOf(TrainingRun training)
    {
        var given = training.Arguments;
        if (given.Resume || training.Job.Total is not { } total)
            return null;
        var tokens = training.Rows.Sum(static r => (long)r.Length) * training.Trainer.TotalEpochs / given.Processes.Size;
        var inBf16 = ProductPrecision.Resolve(given.Precision, given.Runtime) == ProductPrecision.Bf16;
        return TimeEstimate.Of(given.Runtime, inBf16, tokens, total, training.Job.Trainable);
    }

    /// <summary>Says what a run would have been.</summary>
    public static void ConcludeDryRun(Invocation run, TrainingRun training)
    {
        var (job, rows, trainer) = (training.Job, training.Rows, training.Trainer);
        run.Say("dry run: everything is built; nothing was trained and nothing written");
        run.Answer(new()
        {
            ["dry_run"] = true,
            ["method"] = job.Method,
            ["rows"] = rows.Count,
            ["tokens"] = rows.Sum(static r => (long)r.Length),
            ["supervised"] = rows.Sum(static r => (long)r.SupervisedTokens),
            ["steps"] = trainer.TotalSteps,
            ["memory_bytes"] = trainer.Memory?.Total,
            ["trainable_parameters"] = job.Trainable,
            ["total_parameters"] = job.Total,
        });
    }

    /// <summary>The first Ctrl-C is answered at once, since its step may take long, and the second says what is
    /// lost.</summary>
    public static void AnswerInterruptions(Invocation run, string folder)
    {
        run.Host.Interruption.Answer = count => run.Alert(count == 1
            ? "Stopping after this step; press Ctrl-C again to quit without saving."
            : $"Quit without saving; {(Trainer.CheckpointFiles.Any(name => File.Exists(Path.Combine(folder, name)))
                ? "--resume continues from the last checkpoint"
                : "there was no checkpoint yet")}.");
        run.Host.Interruption.Listen();
    }

    /// <summary>Says what was written where, and what came of it.</summary>
    /// <exception cref="InterruptedException">The run was stopped; the message says how to continue.</exception>
    public static void Conclude(Invocation run, TrainingRun training, TrainingResult result, string path)
    {
        var (job, trainer) = (training.Job, training.Trainer);
        if (!result.IsComplete)
        {
            var words = run.Words.Where(static word => word is not ("--overwrite" or "--resume"));
            throw new InterruptedException(
                $"Interrupted after step {result.Steps} of {trainer.TotalSteps}; checkpoint and adapter are in {path}. "
                + $"Continue with: {ShellWords.Join(["ortpeft", .. words, "--resume"])}");
        }

        string[] checkpoint = [.. Trainer.CheckpointFiles.Where(name => File.Exists(Path.Combine(path, name)))];
        string[] files =
        [
            AdapterFiles.Config, job.WeightsFile, .. CardFile.MayReplace(path) ? [ModelCard.FileName] : Array.Empty<string>(),
            RunPage.FileName, RunFile.FileName, MetricsLog.FileName, .. checkpoint,
        ];
        run.Say($"Wrote {path}: {string.Join(", ", files)} after {Human.Count(result.Steps, "step")} in "
            + $"{Human.Time(TimeSpan.FromSeconds(result.Seconds))}.");
        foreach (var line in EvaluationSummary.Lines(result, trainer.TotalSteps, training.Metric))
            run.Say(line);
        var answer = new JsonObject
        {
            ["out"] = path,
            ["method"] = job.Method,
            ["steps"] = result.Steps,
            ["loss"] = Finite.OrNull(result.LastLoss),
            ["seconds"] = result.Seconds,
            ["trainable_parameters"] = job.Trainable,
            ["total_parameters"] = job.Total,
        };
        EvaluationSummary.AddTo(answer, result, training.Metric);
        run.Answer(answer);
    }
}

using OrtPeft.Cli.Errors;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Runs;

/// <summary>
/// The page of a run that goes on: written after evaluations and checkpoints, seldom enough to cost little, and never
/// before there is a checkpoint, without which the folder holds nothing of worth.
/// </summary>
internal sealed class RunPageFile(Invocation run, string folder, RunFacts facts, string configuration)
{
    /// <summary>The page takes at most this share of the time.</summary>
    private const double MostTime = 0.02;

    private const int PageHead = 10;

    private long _written = run.Host.Clock.GetTimestamp();
    private TimeSpan _cost;

    /// <summary>Removes what an earlier run left that this one does not continue: it would lie beside other metrics.</summary>
    public void Begin()
    {
        File.Delete(Path.Combine(folder, RunPage.FileName));
        File.Delete(Path.Combine(folder, RunFacts.FileName));
    }

    /// <summary>Writes the page where there is something new to show, and enough time has passed.</summary>
    public void See(TrainingProgress progress)
    {
        var isNews = progress.Evaluation is not null || progress.Checkpoint is not null;
        var isTime = run.Host.Clock.GetElapsedTime(_written) * MostTime >= _cost;
        if (isNews && isTime && progress.Step < progress.TotalSteps)
            Write();
    }

    /// <summary>Writes facts and page of the run as far as it is; nothing where it left no checkpoint.</summary>
    public void Write()
    {
        if (!Trainer.CheckpointFiles.Any(name => File.Exists(Path.Combine(folder, name))))
            return;
        var started = run.Host.Clock.GetTimestamp();
        var record = new RunRecord
        {
            Name = RunRecord.NameOf(folder),
            History = RunHistory.Read(Path.Combine(folder, MetricsLog.FileName)),
            Facts = facts,
            Configuration = configuration,
        };
        facts.Save(Path.Combine(folder, RunFacts.FileName));
        AtomicFile.Write(Path.Combine(folder, RunPage.FileName), RunPage.Of(record));
        (_written, _cost) = (run.Host.Clock.GetTimestamp(), run.Host.Clock.GetElapsedTime(started));
    }

    /// <summary>Writes a page in the place of none or of an earlier one, and of no other file.</summary>
    /// <exception cref="UsageException">Something else is there.</exception>
    public static void Replace(string path, string page)
    {
        if (Directory.Exists(path) || (File.Exists(path) && !IsPage(path)))
            throw new UsageException($"--html {path} is there and not a page of ortpeft report; give another file.");
        AtomicFile.Write(path, page);
    }

    private static bool IsPage(string path) => File.ReadLines(path).Take(PageHead)
        .Any(static line => line.Contains($"content=\"{RunPage.Mark}\"", StringComparison.Ordinal));
}

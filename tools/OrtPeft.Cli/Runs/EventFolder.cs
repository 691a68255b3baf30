using System.Globalization;
using OrtPeft.Cli.Errors;
using OrtPeft.Training;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Runs;

/// <summary>A run's events for TensorBoard, in a folder that has the name of the run's own.</summary>
internal sealed class EventFolder : IDisposable
{
    /// <summary>The option that asks for them.</summary>
    public const string Option = "--tensorboard";

    private readonly string _folder;
    private readonly bool _isResumed;
    private readonly string _configuration;
    private readonly TimeProvider _clock;
    private TensorBoardLog? _log;

    private EventFolder(string folder, bool isResumed, string configuration, TimeProvider clock) =>
        (_folder, _isResumed, _configuration, _clock) = (folder, isResumed, configuration, clock);

    /// <summary>Looks whether events may be written; nothing is written before the first of them.</summary>
    /// <param name="run">The run.</param>
    /// <param name="parent">The folder of all runs' events; null where none are wanted.</param>
    /// <param name="output">The run's own folder.</param>
    /// <param name="isResumed">Whether events of its first part stay.</param>
    /// <param name="mayReplace">Whether an earlier run's may be replaced.</param>
    /// <param name="configuration">The file from which the run repeats.</param>
    /// <returns>The folder, to be disposed; null where no events are wanted.</returns>
    /// <exception cref="UsageException">Events of another run are there.</exception>
    public static EventFolder? Open(
        Invocation run, string? parent, string output, bool isResumed, bool mayReplace, string configuration)
    {
        if (parent is null)
            return null;
        var folder = Path.Combine(parent, RunRecord.NameOf(output));
        if (File.Exists(parent) || File.Exists(folder))
            throw new UsageException($"{Option} {(File.Exists(parent) ? parent : folder)} is a file; give a folder.");
        var foreign = Events(folder).FirstOrDefault(file => !(mayReplace && IsOwn(file)));
        if (!isResumed && foreign is not null)
        {
            throw new UsageException(
                $"{Option} {parent}: {folder} holds events of another run, which would be drawn as one with this; give "
                + $"another folder{(IsOwn(foreign) ? ", or --overwrite to replace them" : "")}.");
        }

        return new EventFolder(folder, isResumed, configuration, run.Host.Clock);
    }

    /// <summary>Writes what there is to know after a step.</summary>
    public void See(TrainingProgress progress)
    {
        var log = _log ??= Begin(progress.Step);
        if (progress.Step > 0)
            log.Append(progress.Metrics);
        if (progress.Evaluation is { } evaluation)
            log.Append(evaluation);
        foreach (var (i, answer) in progress.Answers.Index())
            log.Append(progress.Step, string.Create(CultureInfo.InvariantCulture, $"samples/{i + 1}"), Text(answer));
    }

    public void Dispose() => _log?.Dispose();

    private TensorBoardLog Begin(int step)
    {
        foreach (var file in _isResumed ? [] : Events(_folder))
            File.Delete(file);
        var log = TensorBoardLog.Create(_folder, _isResumed ? step : 0, _clock);
        log.Append(0, "run", _configuration);
        return log;
    }

    private static string Text(SampleAnswer answer) =>
        $"{answer.Prompt}\n{(answer.Expected is null ? "" : $"→ expected: {answer.Expected}\n")}→ {answer.Text}";

    private static string[] Events(string folder) =>
        Directory.Exists(folder) ? Directory.GetFiles(folder, $"{TensorBoardLog.FilePrefix}*") : [];

    private static bool IsOwn(string file) => file.EndsWith(TensorBoardLog.FileSuffix, StringComparison.Ordinal);
}

using System.Text.Encodings.Web;
using System.Text.Json;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Metrics;

/// <summary>
/// The file <c>metrics.jsonl</c> of a run: one JSON object a line, handed to the operating system as soon as it is
/// appended, so that others can follow it and a crash loses at most the line being written. Numbers are written with
/// as many digits as read back to the same value, whatever the culture; those that are not finite, which JSON cannot
/// hold, as <c>null</c>. Not safe to append to from several threads at once.
/// </summary>
internal sealed class MetricsLog : IDisposable
{
    /// <summary>The file's name in a run's output folder.</summary>
    public const string FileName = "metrics.jsonl";

    /// <summary>The key by which evaluations are known.</summary>
    public const string EvaluationLoss = "eval_loss";

    /// <summary>The key by which answers to prompts are known.</summary>
    public const string Samples = "samples";

    private readonly FileStream _stream;
    private readonly MemoryStream _line = new();
    private readonly Utf8JsonWriter _writer;

    private MetricsLog(string path, FileMode mode)
    {
        _stream = new FileStream(path, mode, FileAccess.Write, FileShare.Read);
        _writer = new Utf8JsonWriter(_line, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>Starts an empty log; a file already there is replaced, and of a link the link alone.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <returns>The log, to be disposed by the caller.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static MetricsLog Create(string path)
    {
        File.Delete(path);
        return new MetricsLog(path, FileMode.CreateNew);
    }

    /// <summary>
    /// Opens a log to go on after a step: rows of later steps are dropped, and a last line that a crash left
    /// unfinished. The shortened file replaces the old one in one move. Where there is no file, an empty log is
    /// started.
    /// </summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="step">The last optimiser step to keep; 0 keeps only evaluations before the first.</param>
    /// <returns>The log, to be disposed by the caller.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The step is negative.</exception>
    /// <exception cref="TrainingDataException">A line other than the last is not a row of a log.</exception>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    public static MetricsLog OpenForResume(string path, int step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        if (File.Exists(path))
            MetricsHistory.Truncate(path, step);
        return new MetricsLog(path, FileMode.Append);
    }

    /// <summary>Appends the row of an optimiser step.</summary>
    /// <param name="metrics">The row.</param>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Append(StepMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        _writer.WriteStartObject();
        _writer.WriteNumber("step", metrics.Step);
        Write("epoch", metrics.Epoch);
        Write("loss", metrics.Loss);
        Write("learning_rate", metrics.LearningRate);
        Write("grad_norm", metrics.GradNorm);
        _writer.WriteNumber("tokens", metrics.Tokens);
        Write("tokens_per_second", metrics.TokensPerSecond);
        Write("seconds", metrics.Seconds);
        if (metrics.CommunicationSeconds is { } communication)
            Write("communication_seconds", communication);
        if (metrics.IsSkipped)
            _writer.WriteBoolean("skipped", true);
        EndRow();
    }

    /// <summary>Appends the row of an evaluation.</summary>
    /// <param name="metrics">The row.</param>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Append(EvaluationMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        _writer.WriteStartObject();
        _writer.WriteNumber("step", metrics.Step);
        foreach (var metric in EvaluationMetric.All)
        {
            if (metric.IsAlwaysMeasured || !double.IsNaN(metric.Of(metrics)))
                Write(metric.Key, metric.Of(metrics));
        }

        EndRow();
    }

    /// <summary>Appends the row of answers that were given after a step.</summary>
    /// <param name="step">The steps done.</param>
    /// <param name="answers">The answers.</param>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Append(int step, IReadOnlyList<SampleAnswer> answers)
    {
        _writer.WriteStartObject();
        _writer.WriteNumber("step", step);
        _writer.WriteStartArray(Samples);
        foreach (var answer in answers)
        {
            _writer.WriteStartObject();
            _writer.WriteString("prompt", answer.Prompt);
            if (answer.Expected is not null)
                _writer.WriteString("expected", answer.Expected);
            _writer.WriteString("answer", answer.Text);
            _writer.WriteEndObject();
        }

        _writer.WriteEndArray();
        EndRow();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.Dispose();
        _line.Dispose();
        _stream.Dispose();
    }

    private void Write(string name, double value)
    {
        if (double.IsFinite(value))
            _writer.WriteNumber(name, value);
        else
            _writer.WriteNull(name);
    }

    private void EndRow()
    {
        _writer.WriteEndObject();
        _writer.Flush();
        _line.WriteByte((byte)'\n');
        _line.WriteTo(_stream);
        _stream.Flush();
        _line.SetLength(0);
        _writer.Reset();
    }
}

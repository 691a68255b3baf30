using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using OrtPeft.Training.Metrics;

namespace OrtPeft.Training.Reports;

/// <summary>
/// The events of a run as TensorBoard reads them: scalars and texts in a file of TFRecords, handed to the operating
/// system as they come. Not thread-safe; dispose it to close the file.
/// </summary>
/// <seealso href="https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details"/>
/// <seealso href="https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto"/>
public sealed class TensorBoardLog : IDisposable
{
    /// <summary>The prefix of such files' names.</summary>
    public const string FilePrefix = "events.out.tfevents.";

    /// <summary>The suffix of the files that are written here.</summary>
    public const string FileSuffix = ".ortpeft";

    private const uint MaskOfChecksums = 0xa282ead8;
    private const long Strings = 7; // DT_STRING
    private const long Start = 1; // SessionLog.START

    private readonly FileStream _stream;
    private readonly TimeProvider _clock;

    private TensorBoardLog(string path, TimeProvider clock)
    {
        _stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
        _clock = clock;
    }

    /// <summary>Starts a file.</summary>
    /// <param name="folder">The run's own folder; created if missing. Files of an earlier part of a resumed run stay.</param>
    /// <param name="step">The first step whose events come; what earlier files have from there on counts no
    /// more.</param>
    /// <param name="clock">The time of events; the system's when left out.</param>
    /// <returns>The log, to be disposed.</returns>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static TensorBoardLog Create(string folder, int step = 0, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        clock ??= TimeProvider.System;
        Directory.CreateDirectory(folder);
        var log = new TensorBoardLog(UnusedIn(folder, clock.GetUtcNow().ToUnixTimeSeconds()), clock);
        log.Write(log.Event(0, 3, "brain.Event:2"));
        if (step > 0)
            log.Write(log.Event(step, 7, new ProtoMessage().Add(1, Start)));
        return log;
    }

    /// <summary>Appends what a step measured; what the runtime does not tell is left out.</summary>
    /// <param name="metrics">The step.</param>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Append(StepMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        Append(
            metrics.Step,
            ("train/loss", metrics.Loss),
            ("train/epoch", metrics.Epoch),
            ("train/learning_rate", metrics.LearningRate),
            ("train/grad_norm", metrics.GradNorm),
            ("train/tokens_per_second", metrics.TokensPerSecond));
    }

    /// <summary>Appends an evaluation.</summary>
    /// <param name="metrics">The evaluation.</param>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Append(EvaluationMetrics metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        Append(
            metrics.Step,
            [.. EvaluationMetric.All.Select(m => ($"eval/{m.Name.Replace('-', '_')}", m.Of(metrics)))]);
    }

    /// <summary>Appends a text, which TensorBoard shows as Markdown.</summary>
    /// <param name="step">The steps done.</param>
    /// <param name="name">What it is.</param>
    /// <param name="text">The text; shown as it is, in a block of code.</param>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    public void Append(int step, string name, string text)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(text);
        var block = "    " + text.ReplaceLineEndings("\n    ");
        var plugin = new ProtoMessage().Add(1, "text");
        var tensor = new ProtoMessage()
            .Add(1, Strings)
            .Add(2, new ProtoMessage().Add(2, new ProtoMessage().Add(1, 1L)))
            .Add(8, block);
        var value = new ProtoMessage()
            .Add(1, $"{name}/text_summary")
            .Add(8, tensor)
            .Add(9, new ProtoMessage().Add(1, plugin));
        Write(Event(step, 5, new ProtoMessage().Add(1, value)));
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private static string UnusedIn(string folder, long seconds)
    {
        for (; ; seconds++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{FilePrefix}{seconds:0000000000}{FileSuffix}");
            if (Path.Combine(folder, name) is var path && !Path.Exists(path))
                return path;
        }
    }

    private void Append(int step, params ReadOnlySpan<(string Tag, double Value)> scalars)
    {
        var summary = new ProtoMessage();
        foreach (var (tag, value) in scalars)
        {
            if (!double.IsNaN(value))
                summary.Add(1, new ProtoMessage().Add(1, tag).Add(2, (float)value));
        }

        Write(Event(step, 5, summary));
    }

    private ProtoMessage Event(int step, int field, string what) => Event(step).Add(field, what);

    private ProtoMessage Event(int step, int field, ProtoMessage what) => Event(step).Add(field, what);

    private ProtoMessage Event(int step)
    {
        var message = new ProtoMessage().Add(1, (_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds);
        return step == 0 ? message : message.Add(2, (long)step);
    }

    /// <summary>A TFRecord: the length, its checksum, the data, its checksum.</summary>
    private void Write(ProtoMessage message)
    {
        var data = message.ToArray();
        var record = new byte[sizeof(ulong) + sizeof(uint) + data.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(sizeof(ulong)), Checksum(record.AsSpan(0, sizeof(ulong))));
        data.CopyTo(record, sizeof(ulong) + sizeof(uint));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(record.Length - sizeof(uint)), Checksum(data));
        _stream.Write(record);
        _stream.Flush();
    }

    /// <summary>CRC-32C, turned and shifted so that checksums of checksums differ.</summary>
    private static uint Checksum(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + MaskOfChecksums;
    }
}

using System.Text.Json;
using OrtPeft.Tensors.Storage;
using OrtPeft.Training.Data;

namespace OrtPeft.Training.Metrics;

/// <summary>Shortens a log to the steps that still count.</summary>
internal static class MetricsHistory
{
    /// <summary>Keeps the rows up to a step, byte for byte, in a file that replaces the old one in one move.</summary>
    public static void Truncate(string path, int step)
    {
        using var kept = new AtomicFile(path);
        using (var source = InputFile.OpenRead(path))
            CopyRows(source, path, step, kept.Stream);
        kept.Commit();
    }

    private static void CopyRows(Stream source, string path, int step, Stream target)
    {
        JsonLine? broken = null;
        foreach (var line in JsonLines.Read(source, path))
        {
            if (broken is { } earlier)
                throw Broken(path, earlier.Number);
            if (StepOf(line.Bytes) is not { } found)
                broken = line; // fine if nothing follows: the line a crash left unfinished
            else if (found <= step)
            {
                target.Write(line.Bytes.Span);
                target.WriteByte((byte)'\n');
            }
        }
    }

    private static TrainingDataException Broken(string path, int line) => new DataPlace(path, line)
        .Error($"not a row with a whole number \"step\"; repair or remove the file, or train without resuming");

    private static int? StepOf(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var row = JsonDocument.Parse(line);
            return row.RootElement.ValueKind == JsonValueKind.Object
                && row.RootElement.TryGetProperty("step"u8, out var step)
                && step.ValueKind == JsonValueKind.Number
                && step.TryGetInt32(out var number)
                    ? number
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

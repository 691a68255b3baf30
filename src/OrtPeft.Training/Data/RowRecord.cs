using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Training.Data;

/// <summary>
/// A row as 32-bit numbers: what parts it has, its form, file and line, its length, and its parts. Labels that are the ids,
/// or ignored, take a bit each.
/// </summary>
internal static class RowRecord
{
    private const int HeaderLength = 5;

    [Flags]
    private enum Parts
    {
        None = 0,
        LabelsAsBits = 1,
        Labels = 2,
        Mask = 4,
        Positions = 8,
        LearnsLastTurnOnly = 16,
    }

    /// <summary>Appends a row.</summary>
    /// <param name="writer">Where it goes.</param>
    /// <param name="row">The row.</param>
    /// <param name="source">Its file's number.</param>
    public static void Write(IBufferWriter<byte> writer, Example row, int source)
    {
        var labels = row.Labels == row.InputIds ? Parts.None
            : row.Labels.Zip(row.InputIds).All(static p => p.First == p.Second || p.First == DecoderLabels.Ignored)
                ? Parts.LabelsAsBits
                : Parts.Labels;
        var parts = labels
            | (row.AttentionMask is null ? Parts.None : Parts.Mask)
            | (row.PositionIds is null ? Parts.None : Parts.Positions)
            | (row.LearnsLastTurnOnly ? Parts.LearnsLastTurnOnly : Parts.None);
        Write(writer, [(int)parts, (int)row.Form, source, row.Line, row.Length]);
        Write(writer, row.InputIds.AsSpan());
        if (labels == Parts.LabelsAsBits)
            Write(writer, Bits(row.Labels));
        else if (labels == Parts.Labels)
            Write(writer, row.Labels.AsSpan());
        if (row.AttentionMask is { } mask)
            Write(writer, mask.AsSpan());
        if (row.PositionIds is { } positions)
            Write(writer, positions.AsSpan());
    }

    /// <summary>Reads a row.</summary>
    /// <param name="bytes">What was written.</param>
    /// <param name="sources">Files by their numbers.</param>
    public static Example Read(ReadOnlySpan<byte> bytes, IReadOnlyList<string?> sources)
    {
        var numbers = MemoryMarshal.Cast<byte, int>(bytes);
        var (parts, form, source, line, length) = ((Parts)numbers[0], (RowForm)numbers[1], numbers[2], numbers[3], numbers[4]);
        numbers = numbers[HeaderLength..];
        var ids = Take(ref numbers, length);
        var labels = parts.HasFlag(Parts.LabelsAsBits) ? Labels(ids, Take(ref numbers, Words(length)))
            : parts.HasFlag(Parts.Labels) ? Take(ref numbers, length)
            : ids;
        ImmutableArray<int>? mask = parts.HasFlag(Parts.Mask) ? Take(ref numbers, length) : null;
        ImmutableArray<int>? positions = parts.HasFlag(Parts.Positions) ? Take(ref numbers, length) : null;
        return new Example(ids, labels, mask, positions)
        {
            File = sources[source],
            Line = line,
            Form = form,
            LearnsLastTurnOnly = parts.HasFlag(Parts.LearnsLastTurnOnly),
        };
    }

    private static int Words(int length) => (length + 31) / 32;

    private static int[] Bits(ImmutableArray<int> labels)
    {
        var bits = new int[Words(labels.Length)];
        for (var i = 0; i < labels.Length; i++)
            bits[i / 32] |= labels[i] == DecoderLabels.Ignored ? 0 : 1 << (i % 32);
        return bits;
    }

    private static ImmutableArray<int> Labels(ImmutableArray<int> ids, ImmutableArray<int> bits) =>
        [.. ids.Select((id, i) => (bits[i / 32] >> (i % 32) & 1) == 0 ? DecoderLabels.Ignored : id)];

    private static ImmutableArray<int> Take(ref ReadOnlySpan<int> numbers, int count)
    {
        ImmutableArray<int> taken = [.. numbers[..count]];
        numbers = numbers[count..];
        return taken;
    }

    private static void Write(IBufferWriter<byte> writer, ReadOnlySpan<int> numbers) =>
        writer.Write(MemoryMarshal.AsBytes(numbers));
}

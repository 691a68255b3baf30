using System.Buffers.Binary;
using System.Text.Json;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors.Safetensors;

/// <summary>
/// A checked header: entries in the order of their bytes, which cover the rest of the file without holes or overlaps,
/// as the reference implementation demands.
/// </summary>
internal sealed record SafetensorsHeader
{
    /// <summary>The reference implementation refuses longer headers.</summary>
    private const long MaxBytes = 100_000_000;

    private const string Remedy = "it is not a safetensors file, or damaged or incomplete: fetch or write it again";

    public required long DataStart { get; init; }

    public required IReadOnlyList<SafetensorsEntry> Entries { get; init; }

    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    public static SafetensorsHeader Read(MappedFile file)
    {
        if (file.Length < sizeof(ulong))
            throw Broken(file.Path, $"{file.Length} bytes are too few for a safetensors file; {Remedy}");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span(0, sizeof(ulong)));
        if (length > MaxBytes)
            throw Broken(file.Path, $"claims a header of {length} bytes, over the limit of {MaxBytes}; {Remedy}");
        var dataStart = sizeof(ulong) + (long)length;
        if (dataStart > file.Length)
            throw Broken(file.Path, $"claims a header of {length} bytes but has {file.Length} in all; {Remedy}");
        var reader = new SafetensorsHeaderReader(file.Path);
        Parse(reader, file.Span(sizeof(ulong), (int)length));
        reader.Entries.Sort(static (a, b) => (a.Begin, a.End).CompareTo((b.Begin, b.End)));
        CheckCoverage(file.Path, reader.Entries, file.Length - dataStart);
        GC.KeepAlive(file);
        return new SafetensorsHeader { DataStart = dataStart, Entries = reader.Entries, Metadata = reader.Metadata };
    }

    private static void Parse(SafetensorsHeaderReader reader, ReadOnlySpan<byte> json)
    {
        try
        {
            reader.Read(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            var reason = e.Message.ReplaceLineEndings(" ");
            throw new OnnxFormatException($"{reader.Path}: the header is not valid JSON ({reason}); {Remedy}.", e);
        }
    }

    private static void CheckCoverage(string path, List<SafetensorsEntry> entries, long available)
    {
        var end = 0L;
        foreach (var entry in entries)
        {
            if (entry.End > available)
                throw Broken(path, entry, $"ends at {entry.End} of {available} data bytes; {Remedy}");
            if (entry.Begin != end)
            {
                var what = entry.Begin < end ? "overlaps the tensor before it" : "leaves a hole before it";
                throw Broken(path, entry, $"starts at {entry.Begin} where {end} is due: it {what}; write it again");
            }

            CheckLength(path, entry);
            end = entry.End;
        }

        if (end != available)
            throw Broken(path, $"the tensors cover {end} of {available} data bytes; {Remedy}");
    }

    private static void CheckLength(string path, SafetensorsEntry entry)
    {
        var shape = $"{entry.Type} [{string.Join(", ", entry.Dims)}]";
        try
        {
            var elements = entry.Dims.Aggregate(1L, static (product, dim) => checked(product * dim));
            var bits = checked(elements * entry.Type.BitSize());
            if (bits % 8 != 0 || bits / 8 != entry.End - entry.Begin)
            {
                var length = entry.End - entry.Begin;
                throw Broken(path, entry, $"has {length} bytes where {shape} takes {bits / 8}; {Remedy}");
            }
        }
        catch (OverflowException e)
        {
            throw new OnnxFormatException($"{path}: tensor '{entry.Name}' is an impossible {shape}; {Remedy}.", e);
        }
    }

    private static OnnxFormatException Broken(string path, SafetensorsEntry entry, string what) =>
        Broken(path, $"tensor '{entry.Name}' {what}");

    private static OnnxFormatException Broken(string path, string what) => new($"{path}: {what}.");
}

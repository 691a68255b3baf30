using System.IO.Compression;
using OrtPeft.Tensors.Storage;
using ZstdSharp;

namespace OrtPeft.Training.Data.Containers;

/// <summary>
/// Reads the rows of a file of any container. What it is compressed with, Parquet and JSON arrays are told by their
/// first bytes; tables of text by the file's name; anything else is JSON Lines.
/// </summary>
internal static class RowStream
{
    private static ReadOnlySpan<byte> GzipMark => [0x1F, 0x8B];

    private static ReadOnlySpan<byte> ZstdMark => [0x28, 0xB5, 0x2F, 0xFD];

    private static ReadOnlySpan<byte> ParquetMark => "PAR1"u8;

    /// <summary>The rows of a file, opened when they are enumerated.</summary>
    public static IEnumerable<JsonLine> Read(string path)
    {
        using var stream = Open(path);
        foreach (var row in Read(stream, path))
            yield return row;
    }

    /// <summary>The rows of a stream.</summary>
    /// <param name="stream">What the file holds.</param>
    /// <param name="name">The file's name, for messages; its ending tells tables of text.</param>
    public static IEnumerable<JsonLine> Read(Stream stream, string name)
    {
        using var first = new PeekedStream(stream, leavesOpen: true);
        using var plain = Decompressed(first);
        foreach (var row in plain is null ? OfPlain(first, name, name) : OfCompressed(plain, name))
            yield return row;
    }

    private static IEnumerable<JsonLine> OfCompressed(Stream stream, string name)
    {
        using var plain = Peeked(stream, name);
        using var rows = OfPlain(plain, Path.ChangeExtension(name, null), name).GetEnumerator();
        while (Whole(name, rows.MoveNext))
            yield return rows.Current;
    }

    private static PeekedStream Peeked(Stream stream, string name) =>
        Whole(name, () => new PeekedStream(stream, leavesOpen: true));

    private static T Whole<T>(string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is InvalidDataException or ZstdException or EndOfStreamException)
        {
            throw new DataPlace(name, 0).Error(
                $"the compressed data is damaged ({error.Message}); get the file anew", error);
        }
    }

    private static IEnumerable<JsonLine> OfPlain(PeekedStream stream, string name, string file)
    {
        if (stream.First.StartsWith(ParquetMark))
            return ParquetRows.Read(stream, file);
        var separator = Path.GetExtension(name).ToUpperInvariant() switch
        {
            ".CSV" => (char?)',',
            ".TSV" => '\t',
            "" when stream.Opening is not ((byte)'{' or (byte)'[') => DelimitedText.Separator(stream.First),
            _ => null,
        };
        return separator is { } between ? DelimitedText.Read(stream, file, between)
            : stream.Opening == '[' ? JsonArray.Read(stream, file)
            : JsonLines.Read(stream, file);
    }

    private static Stream? Decompressed(PeekedStream stream)
    {
        if (stream.First.StartsWith(GzipMark))
            return new GZipStream(stream, CompressionMode.Decompress);
        return stream.First.StartsWith(ZstdMark) ? new DecompressionStream(stream, leaveOpen: true) : null;
    }

    private static FileStream Open(string path)
    {
        try
        {
            return InputFile.OpenRead(path, bufferSize: 1 << 16);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataPlace(path, 0).Error($"cannot be opened ({error.Message}); give a readable file", error);
        }
    }
}

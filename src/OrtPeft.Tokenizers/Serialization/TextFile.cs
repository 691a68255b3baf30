using System.Text;
using System.Text.Json;
using OrtPeft.Tokenizers.Json;

namespace OrtPeft.Tokenizers.Serialization;

/// <summary>Reads a file that nobody has checked yet: bounded size, strict UTF-8, bounded JSON depth.</summary>
internal static class TextFile
{
    /// <summary>Bytes (256 MiB); the largest tokenizers in use have some 35 MB.</summary>
    private const long SizeLimit = 256L << 20;

    private const int DepthLimit = 64;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static string ReadText(string file)
    {
        try
        {
            return Strict.GetString(WithoutMark(ReadBytes(file)).Span);
        }
        catch (DecoderFallbackException error)
        {
            throw new SourcePlace(file, $"byte {error.Index}").Error("not UTF-8; save the file as UTF-8", error);
        }
    }

    /// <summary>Parses a file and reads from it while the document is alive.</summary>
    public static T ReadJson<T>(string file, Func<JsonField, T> read)
    {
        var options = new JsonDocumentOptions { MaxDepth = DepthLimit };
        try
        {
            using var document = JsonDocument.Parse(WithoutMark(ReadBytes(file)), options);
            return read(JsonField.Root(document.RootElement, file));
        }
        catch (JsonException error)
        {
            var place = new SourcePlace(file, $"line {error.LineNumber + 1}");
            throw place.Error($"not JSON of at most {DepthLimit} levels; restore the file", error);
        }
        catch (InvalidOperationException error)
        {
            // The parser leaves the contents of strings alone until they are asked for.
            throw new SourcePlace(file, "a string").Error("not valid Unicode; restore the file", error);
        }
    }

    public static byte[] ReadBytes(string file)
    {
        var size = Real(file).Length;
        if (size == 0) // pipes and devices have no length either, and reading those may never end
            throw new SourcePlace(file, "size").Error("empty, or not a regular file; restore the file");
        if (size > SizeLimit)
            throw new SourcePlace(file, "size").Error($"{size} bytes; tokenizer files have at most {SizeLimit}");
        return File.ReadAllBytes(file);
    }

    /// <summary>The file that a link leads to; the link's text begins at the folder that the link is really in.</summary>
    private static FileInfo Real(string file)
    {
        var given = new FileInfo(file);
        var folder = given.Directory?.ResolveLinkTarget(returnFinalTarget: true)?.FullName;
        var place = folder is null ? given : new FileInfo(Path.Combine(folder, given.Name));
        return place.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? place;
    }

    private static ReadOnlyMemory<byte> WithoutMark(byte[] bytes) =>
        bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? bytes.AsMemory(Encoding.UTF8.Preamble.Length) : bytes;
}

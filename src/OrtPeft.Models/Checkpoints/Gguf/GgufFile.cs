using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>
/// A GGUF file, mapped: metadata by key, and tensors in ggml's types. Opening reads the head alone. Immutable and
/// thread-safe.
/// </summary>
/// <seealso href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">The format.</seealso>
internal sealed class GgufFile
{
    /// <summary>How such files are named.</summary>
    public const string Pattern = "*.gguf";

    private const uint Magic = 0x46554747;
    private const int MostAxes = 4;
    private const string AlignmentKey = "general.alignment";

    private GgufFile(string path, IReadOnlyDictionary<string, object> metadata, IReadOnlyDictionary<string, GgufTensor> tensors)
    {
        Path = path;
        Metadata = metadata;
        Tensors = tensors;
    }

    /// <summary>The file's full path.</summary>
    public string Path { get; }

    /// <summary>Values by key: long, double, bool, string, or lists of these.</summary>
    public IReadOnlyDictionary<string, object> Metadata { get; }

    /// <summary>Tensors by ggml's names.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Tensors { get; }

    /// <summary>Whether a path is such a file by its name.</summary>
    public static bool IsNamed(string path) => path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);

    /// <summary>Maps a file and checks its head: counts, names, types, sizes, offsets.</summary>
    /// <exception cref="OnnxFormatException">It is damaged, or of types that are not read.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static GgufFile Open(string path)
    {
        var file = MappedFile.Open(path);
        var cursor = new GgufCursor(file);
        if (cursor.UInt32() != Magic)
            throw cursor.Broken("does not begin with GGUF");
        var version = cursor.UInt32();
        if (version is not (2 or 3))
            throw cursor.Broken(version is > 0 and <= 1 ? $"is of version {version}; versions 2 and 3 are read"
                : (version & 0xFFFF) == 0 ? "is big-endian; little-endian files are read"
                : $"is of version {version}; versions 2 and 3 are read");
        var tensors = cursor.Count("tensors", 24);
        var keys = cursor.Count("metadata keys", 13);
        var metadata = new Dictionary<string, object>(StringComparer.Ordinal);
        for (long i = 0; i < keys; i++)
        {
            var key = cursor.Text();
            if (!metadata.TryAdd(key, cursor.Value(cursor.UInt32())))
                throw cursor.Broken($"has the metadata key '{key}' twice");
        }

        var heads = new List<Head>();
        for (long i = 0; i < tensors; i++)
            heads.Add(HeadAt(cursor));
        return new GgufFile(file.Path, metadata, Placed(file, cursor, heads, AlignmentOf(metadata, cursor)));
    }

    private sealed record Head(string Name, GgmlType Type, long[] Dims, long Offset);

    private static Head HeadAt(GgufCursor cursor)
    {
        var name = cursor.Text();
        var axes = cursor.UInt32();
        if (axes is 0 or > MostAxes)
            throw cursor.Broken($"has {axes} axes for '{name}'; 1 to {MostAxes} are allowed");
        var dims = new long[axes];
        for (var i = 0; i < dims.Length; i++)
            dims[dims.Length - 1 - i] = cursor.Size($"an axis of '{name}':");
        var id = cursor.UInt32();
        var type = GgmlType.Of(id) ?? throw new OnnxFormatException(
            $"'{name}' is in ggml's type {GgmlType.NameOf(id)}, which is not read; take a file in one of "
            + $"{string.Join(", ", GgmlType.Names)}.");
        return new Head(name, type, dims, cursor.Size($"an offset of '{name}':"));
    }

    private static long AlignmentOf(Dictionary<string, object> metadata, GgufCursor cursor)
    {
        const long Default = 32;
        const long Largest = 1 << 20;
        var value = metadata.GetValueOrDefault(AlignmentKey, Default);
        return value is long alignment and > 0 and <= Largest && long.IsPow2(alignment)
            ? alignment
            : throw cursor.Broken($"has {AlignmentKey} {value}; a power of 2 up to {Largest} is allowed");
    }

    private static OrderedDictionary<string, GgufTensor> Placed(
        MappedFile file, GgufCursor cursor, List<Head> heads, long alignment)
    {
        var start = (cursor.Position + alignment - 1) / alignment * alignment;
        var tensors = new OrderedDictionary<string, GgufTensor>(StringComparer.Ordinal);
        foreach (var head in heads)
        {
            var count = head.Dims.Aggregate((Int128)1, static (product, dim) => product * dim);
            if (count <= 0 || count > long.MaxValue / sizeof(double) || head.Dims[^1] % head.Type.BlockLength != 0)
                throw cursor.Broken(
                    $"has the shape [{string.Join(", ", head.Dims)}] for '{head.Name}' in {head.Type.Name}, whose blocks are of "
                    + $"{head.Type.BlockLength}");
            var length = (long)(count / head.Type.BlockLength) * head.Type.BlockBytes;
            if (head.Offset % alignment != 0 || head.Offset > file.Length - start || length > file.Length - start - head.Offset)
                throw cursor.Broken(
                    $"has '{head.Name}' at {head.Offset} with {length} bytes, beyond its end or out of line; it is truncated");
            var tensor = new GgufTensor(head.Name, head.Type, head.Dims, file.Slice(start + head.Offset, length));
            if (!tensors.TryAdd(head.Name, tensor))
                throw cursor.Broken($"has the tensor '{head.Name}' twice");
        }

        return tensors;
    }
}

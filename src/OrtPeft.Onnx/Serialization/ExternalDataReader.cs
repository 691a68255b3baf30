using System.Globalization;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Serialization;

/// <summary>
/// Finds the bytes of tensors kept in files beside the model. Paths must stay inside the model's folder and ranges
/// inside
/// their file. Each file is mapped once.
/// </summary>
internal sealed class ExternalDataReader(string modelPath)
{
    private const int MaxLinks = 40;
    private readonly Dictionary<string, MappedFile> _files = new(StringComparer.Ordinal);
    private readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(modelPath))!;

    public TensorData Find(TensorProto tensor, long expectedLength)
    {
        var location = Entry(tensor, "location") ?? throw Broken(tensor, "has no location");
        var file = Open(tensor, location);
        var offset = Number(tensor, "offset") ?? 0;
        var length = Number(tensor, "length") ?? expectedLength;
        if (length != expectedLength)
            throw Broken(tensor, $"is {length} bytes long where its shape takes {expectedLength}");
        if (offset < 0 || offset > file.Length - length)
            throw Broken(tensor, $"lies at {offset}+{length} of '{location}', which has {file.Length} bytes");
        return file.Slice(offset, length);
    }

    private MappedFile Open(TensorProto tensor, string location)
    {
        if (_files.TryGetValue(location, out var known))
            return known;
        if (location.Contains('\0', StringComparison.Ordinal))
            throw Broken(tensor, "points to a name with a zero byte");
        var path = Path.GetFullPath(Path.Combine(_folder, location));
        if (Path.IsPathRooted(location) || !IsInside(path, _folder))
            throw Broken(tensor, $"points to '{location}', outside the model's folder");
        var place = WithoutLinks(path, MaxLinks) ?? throw Broken(tensor, $"points to '{location}', a circle of links");
        if (!IsInside(place, WithoutLinks(_folder, MaxLinks) ?? _folder))
            throw Broken(tensor, $"points to '{location}', a link that leaves the model's folder");
        if (!File.Exists(place))
            throw Broken(tensor, $"points to '{location}', which does not exist: put it beside the model");
        return _files[location] = MappedFile.Open(place);
    }

    private static bool IsInside(string path, string folder) =>
        Path.GetPathRoot(path) == folder
        || path.StartsWith($"{folder}{Path.DirectorySeparatorChar}", StringComparison.Ordinal);

    /// <summary>
    /// The path with every folder on the way followed to where it really is, not only the file itself; null when more
    /// links than allowed follow one another.
    /// </summary>
    private static string? WithoutLinks(string path, int allowed)
    {
        if (Path.GetDirectoryName(path) is not { } parent)
            return path;
        if (allowed == 0 || WithoutLinks(parent, allowed) is not { } folder)
            return null;
        var place = Path.Combine(folder, Path.GetFileName(path));
        return new FileInfo(place).LinkTarget is { } target
            ? WithoutLinks(Path.GetFullPath(target, folder), allowed - 1)
            : place;
    }

    private long? Number(TensorProto tensor, string key)
    {
        if (Entry(tensor, key) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Broken(tensor, $"has the {key} '{text}', which is not a number ≥ 0");
    }

    private static string? Entry(TensorProto tensor, string key) =>
        tensor.ExternalData.LastOrDefault(e => e.Key == key)?.Value;

    private OnnxFormatException Broken(TensorProto tensor, string what) =>
        new($"{modelPath}: the external data of tensor '{tensor.Name}' {what}.");
}

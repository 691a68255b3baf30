using System.Globalization;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Onnx.Serialization;

/// <summary>
/// Finds the bytes of tensors kept in files beside the model. Paths must stay inside the model's folder, or the one that
/// the model's file really is in, as in the cache of the Hugging Face Hub; and ranges inside their file. Each file is
/// mapped once.
/// </summary>
internal sealed class ExternalDataReader(string modelPath)
{
    private readonly Dictionary<string, MappedFile> _files = new(StringComparer.Ordinal);
    private readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(modelPath))!;

    private string FolderOfFile => Path.GetDirectoryName(RealPath.Of(modelPath)) ?? _folder;

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
        var place = RealPath.Of(path) ?? throw Broken(tensor, $"points to '{location}', a circle of links");
        if (!IsInside(place, RealPath.Of(_folder) ?? _folder) && !IsInside(place, FolderOfFile))
            throw Broken(tensor, $"points to '{location}', a link that leaves the model's folder");
        if (!File.Exists(place))
            throw Broken(tensor, $"points to '{location}', which does not exist: put it beside the model");
        return _files[location] = MappedFile.Open(place);
    }

    private static bool IsInside(string path, string folder) =>
        Path.GetPathRoot(path) == folder
        || path.StartsWith($"{folder}{Path.DirectorySeparatorChar}", StringComparison.Ordinal);

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

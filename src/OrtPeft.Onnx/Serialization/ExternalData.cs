using System.Globalization;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Onnx.Storage;

namespace OrtPeft.Onnx.Serialization;

/// <summary>
/// Finds the bytes of tensors kept in files beside the model. Paths must stay inside the model's folder and ranges inside
/// their file. Each file is mapped once.
/// </summary>
internal sealed class ExternalData(string modelPath)
{
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
        var path = Path.GetFullPath(Path.Combine(_folder, location));
        if (Path.IsPathRooted(location) || !path.StartsWith(_folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw Broken(tensor, $"points to '{location}', outside the model's folder");
        if (new FileInfo(path).ResolveLinkTarget(true) is { } target &&
            !Path.GetFullPath(target.FullName).StartsWith(_folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw Broken(tensor, $"points to '{location}', a link that leaves the model's folder");
        if (!File.Exists(path))
            throw Broken(tensor, $"points to '{location}', which does not exist: put it beside the model");
        return _files[location] = MappedFile.Open(path);
    }

    private long? Number(TensorProto tensor, string key)
    {
        if (Entry(tensor, key) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Broken(tensor, $"has the {key} '{text}', which is no number ≥ 0");
    }

    private static string? Entry(TensorProto tensor, string key) =>
        tensor.ExternalData.LastOrDefault(e => e.Key == key)?.Value;

    private OnnxFormatException Broken(TensorProto tensor, string what) =>
        new($"{modelPath}: the external data of tensor '{tensor.Name}' {what}.");
}

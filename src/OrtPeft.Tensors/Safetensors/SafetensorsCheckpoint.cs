using System.Text.Json;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors.Safetensors;

/// <summary>
/// A model's weights as HF folders hold them: one <c>model.safetensors</c>, or shards listed in
/// <c>model.safetensors.index.json</c>. Immutable and thread-safe.
/// </summary>
public sealed class SafetensorsCheckpoint
{
    /// <summary>The name of an unsharded folder's weight file.</summary>
    public const string FileName = "model.safetensors";

    /// <summary>The name of a sharded folder's index.</summary>
    public const string IndexFileName = "model.safetensors.index.json";

    private SafetensorsCheckpoint(string path, IReadOnlyDictionary<string, Tensor> tensors)
    {
        Path = path;
        Tensors = tensors;
    }

    /// <summary>The weight file or the index, as full path.</summary>
    public string Path { get; }

    /// <summary>The tensors by name, of all shards.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>Opens a folder's weights; with both forms present the unsharded file counts, as in HF.</summary>
    /// <param name="folder">The HF folder.</param>
    /// <returns>The weights, mapped.</returns>
    /// <exception cref="OnnxFormatException">
    /// The folder has no safetensors weights, the index is broken or leads outside, or a shard lacks a tensor.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static SafetensorsCheckpoint Open(string folder)
    {
        var single = System.IO.Path.Combine(folder, FileName);
        if (File.Exists(single))
        {
            var file = SafetensorsFile.Open(single);
            return new SafetensorsCheckpoint(file.Path, file.Tensors);
        }

        var index = System.IO.Path.GetFullPath(System.IO.Path.Combine(folder, IndexFileName));
        if (!File.Exists(index))
            throw NoWeights(folder);
        return new SafetensorsCheckpoint(index, OpenShards(index));
    }

    private static OrderedDictionary<string, Tensor> OpenShards(string index)
    {
        var shards = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        var tensors = new OrderedDictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, shard) in ReadWeightMap(index))
        {
            if (!shards.TryGetValue(shard, out var file))
                shards[shard] = file = SafetensorsFile.Open(ShardPath(index, shard));
            if (!file.Tensors.TryGetValue(name, out var tensor))
                throw Broken(index, $"lists tensor '{name}' in '{shard}', which lacks it; fetch both files again");
            if (!tensors.TryAdd(name, tensor))
                throw Broken(index, $"lists tensor '{name}' twice; fetch the file again");
        }

        return tensors;
    }

    private static List<(string Name, string Shard)> ReadWeightMap(string index)
    {
        try
        {
            using var json = JsonDocument.Parse(InputFile.ReadAllBytes(index), new JsonDocumentOptions { MaxDepth = 16 });
            var map = json.RootElement.GetProperty("weight_map");
            return [.. map.EnumerateObject().Select(static entry => (entry.Name, entry.Value.GetString() ?? ""))];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            const string What = "is not a JSON object with a weight_map of tensor names to file names";
            throw new OnnxFormatException($"{index}: {What}; fetch it again.", e);
        }
    }

    private static string ShardPath(string index, string shard)
    {
        if (shard is "" or "." or ".." || shard.AsSpan().ContainsAny('/', '\\', ':'))
            throw Broken(index, $"names the shard '{shard}'; shards must be plain file names in the same folder");
        var path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(index)!, shard);
        return File.Exists(path)
            ? path
            : throw Broken(index, $"names the shard '{shard}', which does not exist; fetch it into the same folder");
    }

    private static OnnxFormatException Broken(string index, string what) => new($"{index}: {what}.");

    private static OnnxFormatException NoWeights(string folder)
    {
        var pickled = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "pytorch_model*.bin").Order(StringComparer.Ordinal).FirstOrDefault()
            : null;
        if (pickled is null)
            return Broken(folder, $"holds neither {FileName} nor {IndexFileName}; give the folder of an HF model");
        var what = $"holds only {System.IO.Path.GetFileName(pickled)}, a pickle, which can run code when it is read";
        const string Remedy = "convert it in Python with model.save_pretrained(folder, safe_serialization=True)";
        return Broken(folder, $"{what}; {Remedy}, or fetch {FileName}");
    }
}

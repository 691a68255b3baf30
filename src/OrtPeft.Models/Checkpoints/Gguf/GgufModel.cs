using System.Text;
using System.Text.Json.Nodes;
using OrtPeft.Models.Checkpoints.Packing;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints.Gguf;

/// <summary>A GGUF file as the HF folder that it was made of: description, weights under HF's names, tokenizer.</summary>
internal sealed class GgufModel
{
    private const string LayerPrefix = "model.layers.";

    private readonly Dictionary<string, GgufTensor> _sources = new(StringComparer.Ordinal);
    private readonly GgufArchitecture _architecture;
    private readonly (int Queries, int Keys) _heads;

    private GgufModel(GgufFile file, GgufFields fields, GgufArchitecture architecture)
    {
        Path = file.Path;
        _architecture = architecture;
        var config = new GgufConfig(file, fields, architecture);
        Config = config.ToJson();
        _heads = config.Heads;
        var tensors = new OrderedDictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in file.Tensors)
        {
            if (name is "rope_freqs.weight" or "rope_factors_long.weight" or "rope_factors_short.weight")
                continue;
            var hf = architecture.ToHf(name) ?? throw fields.Refused(
                $"has the tensor '{name}', for which {architecture.ModelType} models of HF have no place; take HF's folder");
            foreach (var (own, part) in Parts(hf, tensor, fields))
            {
                _sources[own] = part;
                tensors.Add(own, AsInHf(own, part));
            }
        }

        Tensors = tensors;
        var files = new Dictionary<string, byte[]>(GgufTokenizer.FilesOf(fields, out var note), StringComparer.Ordinal);
        if (GgufStops.Describe(fields) is { } stops)
            files[ModelFamilies.GenerationConfigFileName] = Encoding.UTF8.GetBytes(stops);
        Files = files;
        Note = note;
    }

    /// <summary>The file's full path.</summary>
    public string Path { get; }

    /// <summary>HF's description.</summary>
    public JsonObject Config { get; }

    /// <summary>The weights by HF's names.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>The files of tokenizer and generation by name.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; }

    /// <summary>A note on the tokenizer for the user; null for none.</summary>
    public string? Note { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="OnnxFormatException">It is damaged, or of what is not read.</exception>
    public static GgufModel Open(string path)
    {
        var file = GgufFile.Open(path);
        var fields = new GgufFields(file);
        if (fields.Text("general.type") is { } type and not "model")
            throw fields.Refused($"general.type is '{type}'; give the file of a model");
        if (fields.Number("split.count") is > 1 and var parts)
            throw fields.Refused($"is one of {parts} files of a model; join them with llama.cpp's 'llama-gguf-split --merge "
                + $"{System.IO.Path.GetFileName(file.Path)} whole.gguf', and give the whole");
        var hasExperts = fields.Count(fields.Own("expert_count")) is not null;
        var architecture = GgufArchitecture.Of(fields.Architecture, hasExperts) ?? throw fields.Refused(
            $"general.architecture is '{fields.Architecture}'; of GGUF files, {string.Join(", ", GgufArchitecture.Known)} are "
            + "read: take HF's folder of the model");
        return new GgufModel(file, fields, architecture);
    }

    /// <summary>All files of an HF folder but the weights.</summary>
    public IEnumerable<(string Name, byte[] Content)> Companions() => Files.Select(static f => (f.Key, f.Value))
        .Prepend((ModelFamilies.ConfigFileName, Encoding.UTF8.GetBytes(Config.ToJsonString(Indented))));

    /// <summary>A layer's matrix whose blocks a graph can hold as they are; null where it cannot.</summary>
    public PackedWeight? Packed(string module, int outputs, int inputs)
    {
        var name = $"{module}.weight";
        if (!name.StartsWith(LayerPrefix, StringComparison.Ordinal) || !_sources.TryGetValue(name, out var tensor)
            || !tensor.Dims.AsSpan().SequenceEqual([outputs, inputs])
            || GgufIntegers.Of(tensor, RowsOf(name, outputs)) is not { } content)
            return null;
        return PackedWeight.Of(name, content);
    }

    private static readonly System.Text.Json.JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>A tensor, or the matrices of a tensor with one for each expert.</summary>
    private static IEnumerable<(string Name, GgufTensor Tensor)> Parts(string hf, GgufTensor tensor, GgufFields fields)
    {
        if (!hf.Contains('*', StringComparison.Ordinal))
            return [(hf, tensor)];
        if (tensor.Dims is not [var experts, var rows, var columns])
            throw fields.Refused($"has '{tensor.Name}' with {tensor.Dims.Length} axes; the experts' matrices must have 3");
        var (bytes, size) = ((MappedTensorData)tensor.Bytes, tensor.Bytes.Length / experts);
        return Enumerable.Range(0, checked((int)experts)).Select(expert => (
            hf.Replace("*", $"{expert}", StringComparison.Ordinal),
            tensor with { Dims = [rows, columns], Bytes = bytes.File.Slice(bytes.Offset + (expert * size), size) }));
    }

    private Tensor AsInHf(string name, GgufTensor source)
    {
        if (name.EndsWith(".shared_expert_gate.weight", StringComparison.Ordinal) && source.Dims is [var width])
            source = source with { Dims = [1, width] };
        var tensor = source.ToTensor(name);
        if (_architecture.NormsAreOneMore && name.EndsWith("norm.weight", StringComparison.Ordinal))
            return Tensor.Of<float>([.. tensor.Widened().ToFloat32().Select(static n => n - 1)], source.Dims).WithName(name);
        return RowsOf(name, source.Dims[0]) is { } rows
            ? new Tensor(ElementType.Float, tensor.Dims, new RowsTensorData(tensor.Widened(), rows), name)
            : tensor;
    }

    /// <summary>Where HF's rows of a matrix stand in the file; null where they are in order.</summary>
    private Func<int, int>? RowsOf(string name, long count)
    {
        var heads = name.Contains(".q_proj.", StringComparison.Ordinal) ? _heads.Queries
            : name.Contains(".k_proj.", StringComparison.Ordinal) ? _heads.Keys
            : 0;
        if (!_architecture.HasTurnedPairs || heads == 0 || count % (2 * heads) != 0 || count > int.MaxValue)
            return null;
        var size = (int)count / heads;
        return row => TurnedPairs.PlaceOf(row, size);
    }
}

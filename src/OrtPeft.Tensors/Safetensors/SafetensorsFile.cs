using OrtPeft.Tensors.Storage;

namespace OrtPeft.Tensors.Safetensors;

/// <summary>
/// A <c>.safetensors</c> file, mapped: opening reads the header only, a tensor's bytes are read when touched. The
/// mapping lives as long as one of the tensors. Immutable and thread-safe.
/// </summary>
/// <seealso href="https://huggingface.co/docs/safetensors/index#format"/>
public sealed class SafetensorsFile
{
    private SafetensorsFile(
        string path, OrderedDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        Path = path;
        Tensors = tensors;
        Metadata = metadata;
    }

    /// <summary>The file's full path.</summary>
    public string Path { get; }

    /// <summary>The tensors by name, in the order of their bytes in the file.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors { get; }

    /// <summary>Free text under <c>__metadata__</c>, such as <c>format</c> = <c>pt</c>; empty when absent.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>A tensor that must be there.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="OnnxFormatException">The file holds no such tensor.</exception>
    public Tensor this[string name] => Tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new OnnxFormatException(
            $"{Path}: holds no tensor '{name}' among its {Tensors.Count}; check that the file belongs to the model.");

    /// <summary>Maps a file and checks its header: sizes, offsets, names, nesting.</summary>
    /// <param name="path">The <c>.safetensors</c> file.</param>
    /// <returns>The file's content.</returns>
    /// <exception cref="OnnxFormatException">
    /// The file is truncated or its header breaks a rule of the format; the message names file, tensor and value.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        var file = MappedFile.Open(path);
        var header = SafetensorsHeader.Read(file);
        var tensors = new OrderedDictionary<string, Tensor>(header.Entries.Count, StringComparer.Ordinal);
        foreach (var entry in header.Entries)
        {
            var data = file.Slice(header.DataStart + entry.Begin, entry.End - entry.Begin);
            tensors.Add(entry.Name, new Tensor(entry.Type, entry.Dims, data, entry.Name));
        }

        return new SafetensorsFile(file.Path, tensors, header.Metadata);
    }

    /// <summary>
    /// Writes tensors in the reference implementation's order (wider types first, then by name), whole or not at all,
    /// one piece at a time: memory use does not grow with the tensors.
    /// </summary>
    /// <param name="path">The file to write; its folder must exist.</param>
    /// <param name="tensors">The tensors and the names to give them.</param>
    /// <param name="metadata">Free text; null writes none. HF's own files have <c>format</c> = <c>pt</c>.</param>
    /// <exception cref="ArgumentException">A name is reserved or used twice, or safetensors lacks a type.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public static void Save(
        string path,
        IEnumerable<(string Name, Tensor Tensor)> tensors,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(tensors);
        var ordered = SafetensorsLayout.Order(tensors);
        using var file = new AtomicFile(path);
        SafetensorsLayout.WriteHeader(file.Stream, ordered, metadata);
        foreach (var (_, tensor) in ordered)
            tensor.Data.CopyTo(file.Stream);
        file.Commit();
    }
}

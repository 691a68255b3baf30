using OrtPeft.Models.Checkpoints.Gguf;
using OrtPeft.Models.Configuration;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Models.Checkpoints;

/// <summary>
/// A model folder as HF writes it: <c>config.json</c> and safetensors weights, which stay mapped; or a GGUF file, which
/// holds the same in llama.cpp's terms. Immutable and thread-safe.
/// </summary>
public sealed class HfCheckpoint
{
    /// <summary>The names of files that belong to a model besides its weights, and are copied along: descriptions, the
    /// tokenizer, how pictures are read, and how sentence-transformers makes embeddings.</summary>
    public static IReadOnlyList<string> Companions { get; } =
    [
        ModelFamilies.ConfigFileName,
        ModelFamilies.GenerationConfigFileName,
        "tokenizer.json",
        "tokenizer.model",
        "chat_template.jinja",
        "vocab.json",
        "merges.txt",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "preprocessor_config.json",
        "processor_config.json",
        "modules.json",
        "config_sentence_transformers.json",
        "sentence_bert_config.json",
        Path.Combine("1_Pooling", "config.json"),
    ];

    private readonly Architecture _architecture;
    private readonly IReadOnlyDictionary<string, QuantizedTensor> _packed;

    private readonly GgufModel? _gguf;

    private HfCheckpoint(
        string folder, Architecture architecture, CheckpointWeights weights, Action<string>? warn, GgufModel? gguf = null)
    {
        Folder = folder;
        _gguf = gguf;
        _architecture = architecture;
        Weights = weights.Find(warn);
        StoredTypes = weights.StoredTypes;
        StoredNames = weights.StoredNames;
        Others = weights.Others.ToDictionary(StringComparer.Ordinal);
        _packed = weights.PackedContents;
    }

    /// <summary>The folder, as full path.</summary>
    public string Folder { get; }

    /// <summary>The model's description.</summary>
    public ModelConfig Config => _architecture.Config;

    /// <summary>
    /// The weights by HF's names, prefix included, as float32: mapped where the file holds float32, otherwise converted
    /// whenever they are read.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> Weights { get; }

    /// <summary>The types that the file holds the weights in, by the names of <see cref="Weights"/>.</summary>
    public IReadOnlyDictionary<string, ElementType> StoredTypes { get; }

    /// <summary>Reads the description and matches the weights against it; no weight is read yet.</summary>
    /// <param name="folder">The HF folder; its weights may lack the family's prefix and may be sharded. Or a
    /// <c>.gguf</c> file.</param>
    /// <param name="warn">
    /// Receives one line for each thing that is left out but should be known, such as spare tensors.
    /// </param>
    /// <returns>The checkpoint.</returns>
    /// <exception cref="ModelConfigException">The description is bad, or of an unknown family.</exception>
    /// <exception cref="OnnxFormatException">
    /// The folder does not exist, a weight is missing or has the wrong shape, or a file is damaged.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static HfCheckpoint Open(string folder, Action<string>? warn = null)
    {
        var path = Path.GetFullPath(folder);
        if (GgufFile.IsNamed(path) && File.Exists(path))
            return OpenGguf(path, warn);
        if (!Directory.Exists(path))
        {
            var what = File.Exists(path) ? "is not a folder" : $"does not exist{HubName.AdviceFor(folder)}";
            throw new OnnxFormatException(
                $"{folder} {what}; give a folder with {ModelFamilies.ConfigFileName} and "
                + $"{SafetensorsCheckpoint.FileName}.");
        }

        var description = Path.Combine(path, ModelFamilies.ConfigFileName);
        if (!File.Exists(description) && FolderContents.Describe(path) is { } contents)
            throw new OnnxFormatException($"{folder}: {contents}.");
        var config = ModelFamilies.Read(description);
        var file = SafetensorsCheckpoint.Open(path);
        if (new CheckpointWeights(config.ToArchitecture(), file.Path, file.Tensors).HasTiedWeightsThatDiffer(warn))
            config = config with { TieWordEmbeddings = false };
        var architecture = config.ToArchitecture();
        return new HfCheckpoint(path, architecture, new CheckpointWeights(architecture, file.Path, file.Tensors), warn);
    }

    /// <summary>
    /// Turns an HF folder or a GGUF file into an ONNX folder: <c>model.onnx</c>, <c>model.onnx.data</c> and the tokenizer and
    /// configuration files. Weights pass through in pieces; memory use does not grow with them.
    /// </summary>
    /// <param name="folder">The HF folder, or the <c>.gguf</c> file.</param>
    /// <param name="target">The folder to write, made when missing; may be the same.</param>
    /// <param name="warn">Receives one line for each thing that is left out but should be known.</param>
    /// <param name="asFloat">Whether matrices in few bits become float32.</param>
    /// <returns>The path of <c>model.onnx</c>.</returns>
    /// <exception cref="ModelConfigException">The description is bad, or of an unknown family.</exception>
    /// <exception cref="OnnxFormatException">
    /// A weight is missing or has the wrong shape, or a file is damaged.
    /// </exception>
    /// <exception cref="IOException">A file cannot be read, or the target cannot be written.</exception>
    public static string Import(string folder, string target, Action<string>? warn = null, bool asFloat = false)
    {
        var checkpoint = Open(folder, warn);
        var targetPath = Path.GetFullPath(target);
        Directory.CreateDirectory(targetPath);
        checkpoint.WriteCompanions(targetPath);
        var path = Path.Combine(targetPath, ModelSource.ModelFileName);
        OnnxFile.Save(checkpoint.ToModel(asFloat), path, new OnnxSaveOptions { ExternalData = true });
        return path;
    }

    /// <summary>The names of those <see cref="Companions"/> that a folder has.</summary>
    /// <param name="folder">The model's folder.</param>
    public static IReadOnlyList<string> CompanionsIn(string folder) =>
        [.. Companions.Where(name => File.Exists(Path.Combine(folder, name)))];

    /// <summary>
    /// Copies what belongs to a model besides its weights: descriptions and the tokenizer, as far as they are there.
    /// </summary>
    /// <param name="folder">The model's folder.</param>
    /// <param name="target">Another folder; files of the same names are replaced.</param>
    /// <exception cref="IOException">A file cannot be read or written.</exception>
    public static void CopyCompanions(string folder, string target)
    {
        foreach (var name in CompanionsIn(folder))
            CopyCompanion(Path.GetFullPath(folder), Path.GetFullPath(target), name);
    }

    /// <summary>Builds the ONNX model over the weights where they lie.</summary>
    /// <param name="asFloat">Whether matrices in few bits become float32; false when left out.</param>
    /// <returns>
    /// A new model; float32 weights are shared with the mapped file, and matrices of GPTQ, AWQ, bitsandbytes and GGUF stay
    /// in few bits where blocks of integers can hold them.
    /// </returns>
    public Model ToModel(bool asFloat = false)
    {
        var model = _architecture.Build(Weights);
        if (_packed.Count > 0 && !asFloat)
            Pack(model);
        model.Metadata[MetadataKeys.BaseModel] = _gguf?.Path ?? SourceName.NotedIn(Folder) ?? Folder;
        return model;
    }

    /// <summary>The names that the files have for tensors, by the architecture's; others have one name.</summary>
    internal IReadOnlyDictionary<string, string> StoredNames { get; }

    /// <summary>The tensors that are no part of the architecture.</summary>
    internal IReadOnlyDictionary<string, Tensor> Others { get; }

    /// <summary>The names of those <see cref="Companions"/> that come along.</summary>
    internal IReadOnlyList<string> CompanionNames => _gguf is null
        ? CompanionsIn(Folder)
        : [.. _gguf.Companions().Select(static c => c.Name)];

    /// <summary>A GGUF file as the HF folder that it was made of.</summary>
    private static HfCheckpoint OpenGguf(string path, Action<string>? warn)
    {
        var gguf = GgufModel.Open(path);
        var (_, description) = gguf.Companions().First();
        var config = ModelFamilies.Read(ModelFields.Of(description, path, isToBuild: true), path) with
        {
            Packing = (module, outputs, inputs, _) => gguf.Packed(module, outputs, inputs),
        };
        if (gguf.Note is { } note)
            warn?.Invoke($"{path}: {note}.");
        var architecture = config.ToArchitecture();
        var weights = new CheckpointWeights(architecture, path, gguf.Tensors);
        var checkpoint = new HfCheckpoint(Path.GetDirectoryName(path)!, architecture, weights, warn: null, gguf);
        return weights.Others.FirstOrDefault().Key is not { } other ? checkpoint : throw new OnnxFormatException(
            $"{path}: has a tensor for '{other}', which {config.ModelType} models of HF do not have; take HF's folder.");
    }

    private void WriteCompanions(string target)
    {
        if (_gguf is null)
            CopyCompanions(Folder, target);
        else
            foreach (var (name, content) in _gguf.Companions())
                AtomicFile.Write(Path.Combine(target, name), content);
    }

    private void Pack(Model model)
    {
        var g = GraphBuilder.Over(model);
        foreach (var (name, content) in _packed)
            QuantizedWeight.Replace(g, model.Graph.Find(name)!, content);
    }

    private static void CopyCompanion(string from, string to, string name)
    {
        var source = Path.Combine(from, name);
        var target = Path.Combine(to, name);
        if (from == to)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        AtomicFile.Write(target, InputFile.ReadAllBytes(source));
    }
}

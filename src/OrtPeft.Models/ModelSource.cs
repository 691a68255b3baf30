using System.Collections.Frozen;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Models.Configuration;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Serialization;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models;

/// <summary>
/// A model wherever it comes from: an ONNX file, a folder with <c>model.onnx</c>, or an HF folder, which is imported in
/// memory over its mapped weights.
/// </summary>
public sealed class ModelSource
{
    /// <summary>The name of a folder's model.</summary>
    public const string ModelFileName = "model.onnx";

    private readonly string _given;

    private ModelSource(string given, Model model, string folder, ModelConfig? config, string? path)
    {
        _given = given;
        Model = model;
        Folder = folder;
        Config = config;
        ModelPath = path;
    }

    /// <summary>The model; its weights stay in their files until they are touched.</summary>
    public Model Model { get; }

    /// <summary>The full path of the folder that holds the model, and its tokenizer if it has one.</summary>
    public string Folder { get; }

    /// <summary>The description beside the model, or null when there is none of a known family.</summary>
    public ModelConfig? Config { get; }

    /// <summary>
    /// The tokens that end a text by the files beside the model: every <c>eos_token_id</c> of <c>config.json</c>,
    /// <c>generation_config.json</c> and <c>genai_config.json</c>, a number or a list each. Empty where none names one.
    /// Reads the files.
    /// </summary>
    /// <exception cref="ModelConfigException">A file is damaged.</exception>
    public IReadOnlyList<int> StopTokenIds => StopTokens.In(Folder);

    /// <summary>The token that ends texts beside <see cref="StopTokenIds"/>: the tokenizer's or, where neither it nor the
    /// files name one, the family's. Reads the files.</summary>
    /// <param name="ofTokenizer">The tokenizer's; null where it has none.</param>
    /// <returns>The token; null where nothing names one.</returns>
    /// <exception cref="ModelConfigException">A file is damaged.</exception>
    public int? EndOfText(int? ofTokenizer) =>
        ofTokenizer ?? (StopTokenIds.Count == 0 ? Config?.EosTokenId : null);

    /// <summary>How <c>generation_config.json</c> beside the model would have tokens chosen. Reads the file.</summary>
    /// <exception cref="ModelConfigException">The file is damaged.</exception>
    public SamplingSettings Sampling => SamplingSettings.In(Folder);

    /// <summary>
    /// The most tokens that the model attends to, past included: by <c>config.json</c>, else a position embedding's
    /// rows, else <c>genai_config.json</c>; no more than the graph's axes let through. Null where nothing says.
    /// </summary>
    /// <exception cref="ModelConfigException">A file is damaged.</exception>
    public int? ContextLength => ((int?[])[Positions, DecoderNames.LengthOf(Model.Graph)]).Min();

    /// <summary>
    /// How many token ids there are: by <c>config.json</c>, else the logits, else <c>genai_config.json</c>. Null where
    /// none says.
    /// </summary>
    /// <exception cref="ModelConfigException">A file is damaged.</exception>
    public int? VocabularySize => Config?.VocabularySize ?? LogitsWidth ?? GenAi?.VocabularySize;

    /// <summary>The full path of the <c>.onnx</c> file, or null when the model was built from an HF folder.</summary>
    public string? ModelPath { get; }

    /// <summary>
    /// The types that an HF folder's files hold the weights in, by name; the model has them as float32. Empty for ONNX.
    /// </summary>
    public IReadOnlyDictionary<string, ElementType> StoredTypes { get; private init; } =
        FrozenDictionary<string, ElementType>.Empty;

    /// <summary>The names of tensors in an HF folder's files, by those in the model.</summary>
    internal IReadOnlyDictionary<string, string> StoredNames { get; private init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>The tensors of an HF folder that the model does not have.</summary>
    internal IReadOnlyDictionary<string, Tensor> Others { get; private init; } = FrozenDictionary<string, Tensor>.Empty;

    /// <summary>
    /// The name by which HF's libraries load this base, for <c>base_model_name_or_path</c>. Of an HF folder the hub's
    /// name, by the hub's cache that it lies in or by the <c>_name_or_path</c> that it notes, else the path as it was
    /// given; of a graph the name or folder that it was made from. Null when that is not known, or the weights are no
    /// longer those.
    /// </summary>
    public string? HfName
    {
        get
        {
            if (ModelPath is null || IsHfFolder(Folder))
                return HubName.OfCache(Folder, "models") ?? NotedName ?? _given;
            return Model.Metadata.ContainsKey(MetadataKeys.MergedAdapters)
                ? null
                : Model.Metadata.GetValueOrDefault(MetadataKeys.BaseModel) ?? SourceName.NotedIn(Folder);
        }
    }

    /// <summary>Opens a model; a folder that has both forms is taken as an ONNX folder.</summary>
    /// <param name="path">An <c>.onnx</c> file, an HF folder, or a folder with a graph, which may be in <c>onnx</c> in it:
    /// <c>model.onnx</c>, the one that <c>genai_config.json</c> names, Optimum's decoder, or one of any name.</param>
    /// <param name="warn">Receives one line for each thing that is left out but should be known.</param>
    /// <returns>The model and what belongs to it.</returns>
    /// <exception cref="OnnxFormatException">There is no model at the path, or it is damaged.</exception>
    /// <exception cref="ModelConfigException">The <c>config.json</c> is damaged.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static ModelSource Open(string path, Action<string>? warn = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var fullPath = Path.GetFullPath(path);
        if (File.Exists(fullPath))
            return OpenFile(path, fullPath);
        if (!Directory.Exists(fullPath))
            throw NoModel(path, $"does not exist{HubName.AdviceFor(path)}");
        var file = Path.Combine(fullPath, ModelFileName);
        if (File.Exists(file))
            return OpenFile(path, file);
        if (!IsHfFolder(fullPath) && GraphFile.In(fullPath) is { } graph)
            return OpenFile(path, graph);
        if (!IsHfFolder(fullPath) && FolderContents.Describe(fullPath) is { } contents)
            throw new OnnxFormatException($"{path}: {contents}.");
        if (!File.Exists(Path.Combine(fullPath, ModelFamilies.ConfigFileName)))
            throw NoModel(path, $"has no {ModelFileName} and no {ModelFamilies.ConfigFileName}");
        var checkpoint = HfCheckpoint.Open(fullPath, warn);
        return new ModelSource(path, checkpoint.ToModel(), checkpoint.Folder, checkpoint.Config, null)
        {
            StoredTypes = checkpoint.StoredTypes,
            StoredNames = checkpoint.StoredNames,
            Others = checkpoint.Others,
        };
    }

    private string? NotedName => SourceName.NotedIn(Folder) is { } noted && HubName.Is(noted) ? noted : null;

    private int? Positions => Config?.MaxPositions
        ?? (int?)Model.Graph.Initializers.FirstOrDefault(IsPositionEmbedding)?.Initializer!.Dims[0]
        ?? GenAi?.ContextLength;

    private int? LogitsWidth => DecoderNaming.Named(Model).Graph.Outputs
        .FirstOrDefault(static o => o.Name == DecoderNames.Logits)?.Shape is { Rank: > 0 and var rank } shape
            ? shape[rank - 1].ToCount()
            : null;

    private GenAiConfig? GenAi => ModelPath is null ? null : GenAiConfig.TryRead(Folder, ModelPath);

    private static bool IsPositionEmbedding(Value value) =>
        value.Initializer is { Dims.Length: 2 }
        && DecoderFamilies.IsPositionEmbedding(MergedDecoder.BareName(value.Name));

    private static bool IsHfFolder(string folder) =>
        File.Exists(Path.Combine(folder, ModelFamilies.ConfigFileName))
        && (File.Exists(Path.Combine(folder, SafetensorsCheckpoint.FileName))
            || File.Exists(Path.Combine(folder, SafetensorsCheckpoint.IndexFileName)));

    private static ModelSource OpenFile(string given, string path)
    {
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            throw NoModel(path, "holds weights only");
        if (path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            throw new OnnxFormatException(
                $"{given}: is a GGUF file; make an ONNX folder of it with 'ortpeft import {given} --out FOLDER' "
                + "(HfCheckpoint.Import), and give that.");
        if (path.EndsWith(".ort", StringComparison.OrdinalIgnoreCase))
            throw new OnnxFormatException(
                $"{given}: is in ONNX Runtime's own format, which has no graph to train; give the .onnx file that it was made "
                + "of.");
        var folder = GraphFile.CompanionsOf(path);
        var config = ModelFamilies.TryRead(Path.Combine(folder, ModelFamilies.ConfigFileName));
        var model = OnnxFile.Load(path);
        if (GenAiConfig.TryRead(folder, path) is { } genAi)
        {
            model.Metadata[MetadataKeys.BuilderType] = genAi.Type;
            if (DecoderNaming.HasUnstatedCaches(model))
                genAi.StateCaches(model);
        }
        else if (config is not null)
        {
            model.Metadata[MetadataKeys.BuilderType] = config.ModelType;
        }

        // A graph that says so itself knows better: a checkpoint may hold two matrices though its description ties them.
        if (model.Metadata.TryGetValue(MetadataKeys.TieWordEmbeddings, out var isTied))
            config = config is null ? null : config with { TieWordEmbeddings = isTied == "true" };
        else if (config is not null)
            model.Metadata[MetadataKeys.TieWordEmbeddings] = config.TieWordEmbeddings ? "true" : "false";
        return new ModelSource(given, model, folder, config, path);
    }

    private static OnnxFormatException NoModel(string path, string what) =>
        new($"{path}: {what}; give an .onnx file, a folder with {ModelFileName}, or an HF folder with " +
            $"{ModelFamilies.ConfigFileName} and {SafetensorsCheckpoint.FileName}.");
}

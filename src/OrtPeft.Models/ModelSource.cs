using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Safetensors;
using OrtPeft.Onnx.Serialization;

namespace OrtPeft.Models;

/// <summary>
/// A model wherever it comes from: an ONNX file, a folder with <c>model.onnx</c>, or an HF folder, which is imported in
/// memory over its mapped weights.
/// </summary>
public sealed class ModelSource
{
    /// <summary>The name of a folder's model.</summary>
    public const string ModelFileName = "model.onnx";

    private ModelSource(Model model, string folder, ModelConfig? config, string? path)
    {
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
    /// The tokens that end a text by the files beside the model: every <c>eos_token_id</c> of <c>config.json</c> and
    /// <c>generation_config.json</c>, a number or a list each. Empty where neither names one. Reads the files.
    /// </summary>
    /// <exception cref="ModelConfigException">A file is damaged.</exception>
    public IReadOnlyList<int> StopTokenIds => StopTokens.In(Folder);

    /// <summary>The full path of the <c>.onnx</c> file, or null when the model was built from an HF folder.</summary>
    public string? ModelPath { get; }

    /// <summary>Opens a model; a folder that has both forms is taken as an ONNX folder.</summary>
    /// <param name="path">An <c>.onnx</c> file, a folder with <c>model.onnx</c>, or an HF folder.</param>
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
            return OpenFile(fullPath);
        if (!Directory.Exists(fullPath))
            throw NoModel(path, "does not exist");
        var file = Path.Combine(fullPath, ModelFileName);
        if (File.Exists(file))
            return OpenFile(file);
        if (!File.Exists(Path.Combine(fullPath, ModelFamilies.ConfigFileName)))
            throw NoModel(path, $"has no {ModelFileName} and no {ModelFamilies.ConfigFileName}{OtherModels(fullPath)}");
        var checkpoint = HfCheckpoint.Open(fullPath, warn);
        return new ModelSource(checkpoint.ToModel(), checkpoint.Folder, checkpoint.Config, null);
    }

    private static ModelSource OpenFile(string path)
    {
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            throw NoModel(path, "holds weights only");
        var folder = Path.GetDirectoryName(path)!;
        var config = ModelFamilies.TryRead(Path.Combine(folder, ModelFamilies.ConfigFileName));
        var model = OnnxFile.Load(path);
        // A graph that says so itself knows better: a checkpoint may hold two matrices though its description ties them.
        if (model.Metadata.TryGetValue(MetadataKeys.TieWordEmbeddings, out var isTied))
            config = config is null ? null : config with { TieWordEmbeddings = isTied == "true" };
        else if (config is not null)
            model.Metadata[MetadataKeys.TieWordEmbeddings] = config.TieWordEmbeddings ? "true" : "false";
        return new ModelSource(model, folder, config, path);
    }

    private static string OtherModels(string folder)
    {
        var names = Directory.EnumerateFiles(folder, "*.onnx").Select(Path.GetFileName).Order(StringComparer.Ordinal);
        var text = string.Join(", ", names);
        return text.Length == 0 ? "" : $" but {text}";
    }

    private static OnnxFormatException NoModel(string path, string what) =>
        new($"{path}: {what}; give an .onnx file, a folder with {ModelFileName}, or an HF folder with " +
            $"{ModelFamilies.ConfigFileName} and {SafetensorsCheckpoint.FileName}.");
}

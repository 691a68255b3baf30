using System.Text.Json;
using OrtPeft.Adapters.Bottleneck;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Adapters.Lora;
using OrtPeft.Artifacts;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Adapters;

/// <summary>
/// An adapter on disk as HF PEFT lays it out: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>. The
/// adapters library's folders of bottleneck adapters are read too, where the weights are <c>adapter.safetensors</c>, and
/// mlx-lm's, where they are <c>adapters.safetensors</c>.
/// </summary>
public static class AdapterFolder
{
    /// <summary>The configuration's file name.</summary>
    public const string ConfigFile = AdapterFiles.Config;

    /// <summary>The weights' file name.</summary>
    public const string WeightsFile = AdapterFiles.Weights;

    /// <summary>Weights as Python pickles, of HF PEFT and of the adapters library, and what they are converted
    /// to.</summary>
    private static readonly (string Pickle, string Safe)[] Pickles =
        [("adapter_model.bin", WeightsFile), ("pytorch_adapter.bin", LibraryLayout.WeightsFile)];

    /// <summary>
    /// Finds the adapters of a folder: its own, called <see cref="PeftModel.DefaultName"/>, then those in folders
    /// inside, called as these, as <see cref="PeftModel.Save"/> and HF PEFT write several.
    /// </summary>
    /// <param name="folder">The folder; it may be missing.</param>
    /// <returns>Names and folders, those inside sorted by name; only where there is a <see
    /// cref="ConfigFile"/>.</returns>
    public static IReadOnlyList<(string Name, string Folder)> AllIn(string folder)
    {
        if (!Directory.Exists(folder))
            return [];
        var inside = Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal)
            .Select(static inner => (Name: Path.GetFileName(inner), Folder: inner));
        return [.. inside.Prepend((Name: PeftModel.DefaultName, Folder: folder))
            .Where(static a => File.Exists(Path.Combine(a.Folder, ConfigFile)))];
    }

    /// <summary>Reads a configuration.</summary>
    /// <param name="path">The adapter's folder, or the configuration file itself.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">The file is missing, no JSON object, or names what is not
    /// supported.</exception>
    public static PeftConfig LoadConfig(string path)
    {
        var file = Directory.Exists(path) ? Path.Combine(path, ConfigFile) : path;
        if (!File.Exists(file))
            throw ConfigException.OfFile(file, $"does not exist; {WhatToGive(AllIn(path))}.");
        try
        {
            var json = ConfigJson.Read(file)
                ?? throw ConfigException.OfFile(file, "is not a JSON object.");
            json = LibraryLayout.Is(json) ? LibraryLayout.Flattened(json, file)
                : MlxLayout.Is(json) ? MlxLayout.Translated(json, file)
                : json;
            return PeftMethods.Read(new ConfigFields(json, file), file);
        }
        catch (JsonException e)
        {
            throw ConfigException.OfFile(file, $"is not JSON: {e.Message}", e);
        }
    }

    /// <summary>Reads the weights; they stay in the mapped file until touched.</summary>
    /// <param name="folder">The adapter's folder.</param>
    /// <returns>Tensors by name.</returns>
    /// <exception cref="ConfigException">The file is missing.</exception>
    /// <exception cref="OnnxFormatException">The file is damaged.</exception>
    public static IReadOnlyDictionary<string, Tensor> LoadWeights(string folder)
    {
        var file = WeightsIn(folder);
        var tensors = SafetensorsFile.Open(file).Tensors;
        return Path.GetFileName(file) == MlxLayout.WeightsFile ? MlxLayout.Translated(tensors, file) : tensors;
    }

    /// <summary>Finds the weights' file.</summary>
    /// <param name="folder">The adapter's folder.</param>
    /// <exception cref="ConfigException">The file is missing.</exception>
    internal static string WeightsIn(string folder)
    {
        var config = Path.Combine(folder, ConfigFile);
        var ofMlx = Path.Combine(folder, MlxLayout.WeightsFile);
        if (MlxLayout.IsIn(config) && File.Exists(ofMlx))
            return ofMlx;
        var names = LibraryLayout.IsIn(config)
            ? (string[])[LibraryLayout.WeightsFile, WeightsFile]
            : [WeightsFile, LibraryLayout.WeightsFile];
        return names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) ?? throw NoWeights(folder);
    }

    /// <summary>Writes both files, all or nothing.</summary>
    /// <param name="folder">The adapter's folder; created if missing.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="weights">The weights by name.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static void Save(string folder, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(config);
        AdapterFiles.Save(folder, config.ToJson(), weights, config.WeightsFile);
    }

    private static ConfigException NoWeights(string folder)
    {
        var (pickle, safe) = Pickles.FirstOrDefault(p => File.Exists(Path.Combine(folder, p.Pickle)));
        return new ConfigException(pickle is null
            ? $"{Path.Combine(folder, WeightsFile)} does not exist; {WhatToGive([])}."
            : $"{Path.Combine(folder, pickle)} is a Python pickle, which can run code when it is read and is not read "
            + "here; convert it in its folder with python -c \"import torch, safetensors.torch as s; "
            + $"s.save_file(torch.load('{pickle}', weights_only=True), '{safe}')\".");
    }

    private static string WhatToGive(IReadOnlyList<(string Name, string Folder)> inside) => inside.Count == 0
        ? $"an adapter folder holds {ConfigFile} and {WeightsFile}"
        : $"the folder holds several adapters, so give one of {string.Join(", ", inside.Select(static a => a.Folder))}";
}

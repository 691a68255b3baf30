using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Adapters.Configuration;
using OrtPeft.Artifacts;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Safetensors;

namespace OrtPeft.Adapters;

/// <summary>
/// An adapter on disk as HF PEFT lays it out: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.
/// </summary>
public static class AdapterFolder
{
    /// <summary>The configuration's file name.</summary>
    public const string ConfigFile = AdapterFiles.Config;

    /// <summary>The weights' file name.</summary>
    public const string WeightsFile = AdapterFiles.Weights;

    private static readonly JsonDocumentOptions NoDuplicates = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a configuration.</summary>
    /// <param name="path">The adapter's folder, or the configuration file itself.</param>
    /// <returns>The configuration, checked.</returns>
    /// <exception cref="ConfigException">The file is missing, no JSON object, or names what is not
    /// supported.</exception>
    public static PeftConfig LoadConfig(string path)
    {
        var file = Directory.Exists(path) ? Path.Combine(path, ConfigFile) : path;
        if (!File.Exists(file))
            throw new ConfigException(
                $"{file} does not exist; an adapter folder holds {ConfigFile} and {WeightsFile}.");
        try
        {
            var json = JsonNode.Parse(File.ReadAllText(file), documentOptions: NoDuplicates) as JsonObject
                ?? throw new ConfigException($"{file} is no JSON object.");
            return PeftMethods.Read(new ConfigFields(json, file), file);
        }
        catch (JsonException e)
        {
            throw new ConfigException($"{file} is not JSON: {e.Message}", e);
        }
    }

    /// <summary>Reads the weights; they stay in the mapped file until touched.</summary>
    /// <param name="folder">The adapter's folder.</param>
    /// <returns>Tensors by name.</returns>
    /// <exception cref="ConfigException">The file is missing.</exception>
    /// <exception cref="OnnxFormatException">The file is damaged.</exception>
    public static IReadOnlyDictionary<string, Tensor> LoadWeights(string folder)
    {
        var file = Path.Combine(folder, WeightsFile);
        if (!File.Exists(file))
            throw new ConfigException(
                $"{file} does not exist; an adapter folder holds {ConfigFile} and {WeightsFile}.");
        return SafetensorsFile.Open(file).Tensors;
    }

    /// <summary>Writes both files, each of them whole or not at all.</summary>
    /// <param name="folder">The adapter's folder; created if missing.</param>
    /// <param name="config">The configuration.</param>
    /// <param name="weights">The weights by name.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static void Save(string folder, PeftConfig config, IReadOnlyDictionary<string, Tensor> weights)
    {
        ArgumentNullException.ThrowIfNull(config);
        AdapterFiles.Save(folder, config.ToJson(), weights);
    }
}

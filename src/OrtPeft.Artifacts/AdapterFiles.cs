using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Safetensors;
using OrtPeft.Onnx.Storage;

namespace OrtPeft.Artifacts;

/// <summary>The two files of an adapter folder, as HF PEFT lays it out.</summary>
public static class AdapterFiles
{
    /// <summary>The configuration's file name.</summary>
    public const string Config = "adapter_config.json";

    /// <summary>The weights' file name.</summary>
    public const string Weights = "adapter_model.safetensors";

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes both files, each of them whole or not at all.</summary>
    /// <param name="folder">The adapter's folder; created if missing.</param>
    /// <param name="config">The configuration, field by field.</param>
    /// <param name="weights">The weights by name.</param>
    /// <param name="weightsFile">The weights' file name, where another layout wants another.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static void Save(
        string folder,
        JsonObject config,
        IReadOnlyDictionary<string, Tensor> weights,
        string weightsFile = Weights)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(weights);
        Directory.CreateDirectory(folder);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" };
        SafetensorsFile.Save(Path.Combine(folder, weightsFile), weights.Select(static w => (w.Key, w.Value)), metadata);
        AtomicFile.Write(Path.Combine(folder, Config), config.ToJsonString(Indented));
    }
}

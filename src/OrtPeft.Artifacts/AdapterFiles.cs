using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts;

/// <summary>The two files of an adapter folder, as HF PEFT lays it out.</summary>
internal static class AdapterFiles
{
    /// <summary>The configuration's file name.</summary>
    public const string Config = "adapter_config.json";

    /// <summary>The weights' file name.</summary>
    public const string Weights = "adapter_model.safetensors";

    /// <summary>The weights' file name in the adapters library's layout.</summary>
    public const string LibraryWeights = "adapter.safetensors";

    /// <summary>Every file that <see cref="Save"/> may write; those that it does not write, it removes.</summary>
    public static IReadOnlyList<string> Names { get; } = [Weights, LibraryWeights, Config];

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// Writes both files, all or nothing; weights that an earlier adapter had under another name go.
    /// </summary>
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
        using var stage = new StagedFolder(folder);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["format"] = "pt" };
        var place = Path.Combine(stage.Path, weightsFile);
        SafetensorsFile.Save(place, weights.Select(static w => (w.Key, w.Value)), metadata);
        AtomicFile.Write(Path.Combine(stage.Path, Config), config.ToJsonString(Indented));
        stage.Commit(Names);
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OrtPeft.Artifacts.Json;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Artifacts;

/// <summary>
/// The file <c>artifacts.json</c> of an artifact folder: all that a program needs to know to train with the files
/// beside it. Fields that a reader does not know are passed over; the version changes only when a field changes its
/// meaning. Fields with a default of their own are required in the file, since code that is generated for reading
/// would put zero in their place.
/// </summary>
public sealed record ArtifactManifest
{
    /// <summary>The file's name in the folder.</summary>
    public const string FileName = "artifacts.json";

    /// <summary>The format that this code writes, and the newest that it reads.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The format's version; 1.</summary>
    public int FormatVersion { get; init; } = CurrentVersion;

    /// <summary>The program that wrote the folder, such as <c>OrtPeft 0.1.0</c>; informative.</summary>
    [JsonRequired]
    public string Producer { get; init; } =
        $"OrtPeft {typeof(ArtifactManifest).Assembly.GetName().Version!.ToString(3)}";

    /// <summary>The runtime that runs the folder: one of <see cref="ArtifactRuntimes"/>.</summary>
    public required string Runtime { get; init; }

    /// <summary>The objective that training minimises: <c>causal-lm</c> or <c>mse</c>.</summary>
    public required string Objective { get; init; }

    /// <summary>Facts of the model that is adapted.</summary>
    [JsonRequired]
    public ArtifactBase Base { get; init; } = new();

    /// <summary>The whole <c>adapter_config.json</c>, which is saved beside trained weights.</summary>
    public required JsonObject PeftConfig { get; init; }

    /// <summary>
    /// How many positions the model has before the first token of its input. Where it is above 0, the last of them
    /// predicts the row's first token, so that this token's label counts too. Tokens; 0 by default.
    /// </summary>
    public int VirtualTokens { get; init; }

    /// <summary>How many of the base's positions the adapter takes from the context. Tokens; 0 by default.</summary>
    public int ReservedPositions { get; init; }

    /// <summary>Whether dropout in the base's own graph is live in training. True by default.</summary>
    [JsonRequired]
    public bool BaseDropout { get; init; } = true;

    /// <summary>Files that are not models.</summary>
    public required ArtifactFiles Files { get; init; }

    /// <summary>The model with loss and gradients.</summary>
    public required ArtifactGraph Training { get; init; }

    /// <summary>The model with the loss alone, without dropout; null where there is none.</summary>
    public ArtifactGraph? Evaluation { get; init; }

    /// <summary>The model that moves the parameters.</summary>
    public required ArtifactGraph Optimizer { get; init; }

    /// <summary>
    /// The model that turns the parameters into the tensors that are saved, such as a prompt's encoder; null (default)
    /// where the parameters themselves are saved.
    /// </summary>
    public ArtifactGraph? Saving { get; init; }

    /// <summary>The trained parameters, in the order of the models' inputs.</summary>
    public required IReadOnlyList<ArtifactParameter> Parameters { get; init; }

    /// <summary>
    /// The length of the optimiser's flat vectors, gaps included; null (default) where the optimiser takes the
    /// parameters one by one. Elements.
    /// </summary>
    public long? FlatLength { get; init; }

    /// <summary>The optimiser's constants, which are part of its model.</summary>
    [JsonPropertyName("adamw")]
    public required AdamWConfig AdamW { get; init; }

    /// <summary>How the optimiser's model changes the learning rate that it is given; null (default) not at
    /// all.</summary>
    public LearningRateFolding? FoldLr { get; init; }

    /// <summary>The names of all files that belong to the folder, but for the manifest itself.</summary>
    [JsonIgnore]
    public IEnumerable<string> AllFiles =>
    [
        .. new[] { Files.Weights, Files.Config, Files.Checkpoint }.OfType<string>(),
        .. Files.ExternalData,
        .. Graphs.Select(static g => g.File),
    ];

    /// <summary>The models that there are.</summary>
    [JsonIgnore]
    internal IEnumerable<ArtifactGraph> Graphs =>
        new[] { Training, Evaluation, Optimizer, Saving }.OfType<ArtifactGraph>();

    /// <summary>Reads and checks a folder's manifest.</summary>
    /// <param name="folder">The artifact folder.</param>
    /// <returns>The manifest.</returns>
    /// <exception cref="OnnxFormatException">The folder has none, or it is damaged or of a newer version; the message
    /// names the field.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ArtifactManifest Load(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new OnnxFormatException($"{path} does not exist; make the folder with: ortpeft artifacts.");
        return Parse(InputFile.ReadAllBytes(path), path);
    }

    /// <summary>Reads and checks a manifest.</summary>
    /// <param name="json">The content of <c>artifacts.json</c>, UTF-8.</param>
    /// <param name="name">What messages call it.</param>
    /// <returns>The manifest.</returns>
    /// <exception cref="OnnxFormatException">It is damaged or of a newer version; the message names the
    /// field.</exception>
    public static ArtifactManifest Parse(ReadOnlySpan<byte> json, string name = FileName)
    {
        try
        {
            JsonText.Check(json);
            CheckVersion(json, name);
            var manifest = JsonSerializer.Deserialize(json, ManifestJson.Default.ArtifactManifest)
                ?? throw new JsonException("null where an object is expected");
            ManifestCheck.Run(manifest, name);
            return manifest;
        }
        catch (JsonException e)
        {
            throw new OnnxFormatException($"{name}: {e.Message.TrimEnd('.')}; write the artifacts again.", e);
        }
    }

    /// <summary>Writes the manifest, whole or not at all.</summary>
    /// <param name="folder">The artifact folder, which exists.</param>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public void Save(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        AtomicFile.Write(Path.Combine(folder, FileName), ToJson());
    }

    /// <summary>The content of <c>artifacts.json</c>.</summary>
    /// <returns>Indented JSON.</returns>
    public string ToJson() => JsonSerializer.Serialize(this, ReadableJson.Context.ArtifactManifest) + "\n";

    /// <summary>Before anything else, for a newer version may have other fields.</summary>
    private static void CheckVersion(ReadOnlySpan<byte> json, string name)
    {
        var version = JsonSerializer.Deserialize(json, ManifestJson.Default.ManifestVersion)?.FormatVersion;
        if (version is not (>= 1 and <= CurrentVersion))
        {
            throw new OnnxFormatException(string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: format_version is {version}, this program reads 1 to {CurrentVersion}; update it, or write "
                + $"the artifacts again."));
        }
    }
}

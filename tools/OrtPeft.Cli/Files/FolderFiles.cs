using System.IO.Enumeration;
using OrtPeft.Artifacts;
using OrtPeft.Cli.Config;
using OrtPeft.Models;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Tensors.Safetensors;
using OrtPeft.Tokenizers;
using OrtPeft.Training;
using OrtPeft.Training.Metrics;
using OrtPeft.Training.Reports;

namespace OrtPeft.Cli.Files;

/// <summary>
/// A verb's effect on the files of its output folder. The one list says what may be written, what is asked for with
/// <c>--overwrite</c>, and what goes.
/// </summary>
internal sealed record FolderFiles
{
    /// <summary>The folder of LoftQ's adapter inside the base's, as its authors name it.</summary>
    public const string LoftqFolder = "loftq_init";

    private static readonly string[] Loftq =
        [.. AdapterFiles.Names.Select(static name => Path.Combine(LoftqFolder, name))];

    /// <summary>The names of all files that may be written, relative to the folder; the one that tells what the folder
    /// is comes first.</summary>
    public required IReadOnlyList<string> Written { get; init; }

    /// <summary>The names of files that are written too, and ask for no leave: the verb leaves those out that are not its
    /// own to replace.</summary>
    public IReadOnlyList<string> Yielding { get; init; } = [];

    /// <summary>Names, with <c>*</c> for any text, of files that go, where they are not written anew.</summary>
    public IReadOnlyList<string> Retired { get; init; } = [];

    /// <summary>Names of files that go too where one of <see cref="Retired"/> is there to be replaced.</summary>
    public IReadOnlyList<string> Companions { get; init; } = [];

    /// <summary>Names, with <c>*</c>, of what makes the folder one of another kind, in which nothing is
    /// written.</summary>
    public IReadOnlyList<string> Foreign { get; init; } = [];

    /// <summary>The name of a file that is worth nothing when the run that wrote it left none of <see
    /// cref="Anchors"/>.</summary>
    public string? Provisional { get; init; }

    /// <summary>Names of files without which a run left nothing to go on from.</summary>
    public IReadOnlyList<string> Anchors { get; init; } = [];

    /// <summary>A new HF folder with its tokenizer.</summary>
    public static FolderFiles OfNewModel { get; } = new()
    {
        Written = [SafetensorsCheckpoint.FileName, ModelFamilies.ConfigFileName, .. ByteLevelBpe.FilesOfSave],
        Retired = [.. ModelFolder.Forms, .. Loftq],
        Companions = HfCheckpoint.Companions,
        Foreign = [ArtifactManifest.FileName],
    };

    /// <summary>An adapter.</summary>
    public static FolderFiles OfAdapter { get; } = new() { Written = AdapterFiles.Names, Retired = AdapterFiles.Names };

    /// <summary>A training run and its adapter; the run's own files go before its first step.</summary>
    public static FolderFiles OfRun { get; } = OfAdapter with
    {
        Written = [.. AdapterFiles.Names, .. Trainer.RunFiles, RunFacts.FileName, RunPage.FileName, RunFile.FileName],
        Yielding = [ModelCard.FileName],
        Provisional = MetricsLog.FileName,
        Anchors = Trainer.CheckpointFiles,
    };

    /// <summary>An ONNX model, with what belongs to the model that it is made of.</summary>
    /// <param name="source">That model's folder.</param>
    /// <param name="others">What is written besides.</param>
    public static FolderFiles OfModel(string source, params IEnumerable<string> others) =>
        OfModelWith([.. others, .. HfCheckpoint.CompanionsIn(source)]);

    /// <summary>An ONNX model, with other files.</summary>
    public static FolderFiles OfModelWith(IReadOnlyList<string> others) => new()
    {
        Written = [ModelSource.ModelFileName, ModelFolder.DataFileName, .. others],
        Retired = [.. ModelFolder.Forms, .. Loftq],
        Companions = HfCheckpoint.Companions,
        Foreign = [ArtifactManifest.FileName],
    };

    /// <summary>An ONNX model, and an HF folder where the graph allows it.</summary>
    /// <param name="source">The base's folder.</param>
    public static FolderFiles OfMergedModel(string source) =>
        OfModel(source, [SafetensorsCheckpoint.FileName, .. GenAiFolder.FilesIn(source)]);

    /// <summary>A quantised model.</summary>
    /// <param name="source">The base's folder.</param>
    /// <param name="withLoftq">Whether LoftQ's adapter comes with it.</param>
    public static FolderFiles OfQuantisedModel(string source, bool withLoftq) =>
        OfModel(source, withLoftq ? Loftq : []);

    /// <summary>Artifacts of either runtime.</summary>
    /// <param name="source">The base's folder.</param>
    public static FolderFiles OfArtifacts(string source) => new()
    {
        Written = [.. ArtifactFiles.Names.Reverse(), .. HfCheckpoint.CompanionsIn(source)],
        Retired = ArtifactFiles.Names,
        Companions = HfCheckpoint.Companions,
        Foreign = ModelFolder.Forms,
    };

    /// <summary>The names of a folder's files that go when others are written.</summary>
    public IReadOnlyList<string> RetiredIn(string folder)
    {
        var names = Matching(folder, Retired);
        return names.Count == 0 ? names : [.. names.Union(Matching(folder, Companions), StringComparer.Ordinal)];
    }

    /// <summary>The name of something in a folder that makes it one of another kind; null for none.</summary>
    public string? ForeignIn(string folder) => Matching(folder, Foreign).FirstOrDefault();

    private static List<string> Matching(string folder, IReadOnlyList<string> patterns)
    {
        var names = new DirectoryInfo(folder).EnumerateFiles().Select(static f => f.Name)
            .Order(StringComparer.Ordinal).ToArray();
        return [.. patterns.SelectMany(pattern => pattern.Contains('*', StringComparison.Ordinal)
            ? names.Where(name => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false))
            : new[] { pattern }.Where(name => File.Exists(Path.Combine(folder, name))))];
    }
}

using OrtPeft.Models.Checkpoints.Gguf;
using OrtPeft.Tensors.Safetensors;

namespace OrtPeft.Models;

/// <summary>The content of a folder in place of a model that can be opened, and the way on from there.</summary>
internal static class FolderContents
{
    private const int Depth = 3;
    private const int Shown = 5;

    private static readonly EnumerationOptions Deep = new() { RecurseSubdirectories = true, MaxRecursionDepth = Depth };

    /// <summary>Describes a folder in which neither a graph nor an HF model was found.</summary>
    /// <param name="folder">The folder; exists.</param>
    /// <returns>What is wrong with it and what to give instead; null where nothing of the kind is there.</returns>
    public static string? Describe(string folder) =>
        Snapshot(folder) is { } snapshot
            ? $"is the place of a model in the Hugging Face Hub's cache; give the snapshot in it, {snapshot}"
        : Names(folder, GgufFile.Pattern) is [var first, ..] and var files
            ? $"holds GGUF files, {List(files)}; make an ONNX folder of one with 'ortpeft import "
                + $"{Path.Combine(folder, first)} --out FOLDER', and give that"
        : Folders(folder) is [var inner, ..] and var folders
            ? $"holds models in folders within it, {List(folders)}; give one, such as {Path.Combine(folder, inner)}"
        : File.Exists(Path.Combine(folder, "adapter_config.json"))
            ? "holds an adapter; give the model that it was trained for, and the folder with --adapter"
        : Names(folder, "*.safetensors") is [var weights, ..]
            ? $"holds {weights}, and HF's weights are called {SafetensorsCheckpoint.FileName}; rename it if it holds the whole "
                + "model under HF's names"
        : Names(folder, "*.ort") is [_, ..] and var ort
            ? $"holds {List(ort)}, in ONNX Runtime's own format, which has no graph to train; give the .onnx file that it "
                + "was made of"
        : null;

    /// <summary>The snapshot that the cache's branch stands for, or the only one.</summary>
    private static string? Snapshot(string folder)
    {
        var snapshots = Path.Combine(folder, "snapshots");
        if (!Directory.Exists(snapshots))
            return null;
        var main = Path.Combine(folder, "refs", "main");
        var meant = File.Exists(main) ? Path.Combine(snapshots, File.ReadAllText(main).Trim()) : "";
        return Directory.Exists(meant)
            ? meant
            : Directory.EnumerateDirectories(snapshots).Order(StringComparer.Ordinal).FirstOrDefault();
    }

    private static string[] Names(string folder, string pattern) =>
        [.. Directory.EnumerateFiles(folder, pattern).Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private static string[] Folders(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*.onnx", Deep)
            .Select(f => Path.GetRelativePath(folder, Path.GetDirectoryName(f)!)).Distinct().Order(StringComparer.Ordinal),
    ];

    private static string List(string[] names) =>
        string.Join(", ", names.Take(Shown)) + (names.Length > Shown ? $" and {names.Length - Shown} more" : "");
}

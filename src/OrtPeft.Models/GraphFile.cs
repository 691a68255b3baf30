using OrtPeft.Models.Configuration;
using OrtPeft.Tensors;

namespace OrtPeft.Models;

/// <summary>
/// Finds the graph in a folder as exporters and hubs lay it out: <c>model.onnx</c>, the file that
/// <c>genai_config.json</c> names, Optimum's decoders, or one graph of another name; in the folder, or in <c>onnx</c> within
/// it, as on the Hugging Face Hub, where what goes with the graph lies above.
/// </summary>
internal static class GraphFile
{
    private const string HubFolder = "onnx";

    /// <summary>Of a set, the decoder that takes a text both from its start and after a past, then that without one.</summary>
    private static readonly string[] Decoders = ["decoder_model_merged.onnx", "decoder_model.onnx"];

    private static readonly string[] Companions =
        [ModelFamilies.ConfigFileName, GenAiConfig.FileName, "tokenizer.json", "tokenizer_config.json"];

    /// <summary>The graph of a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The path, or null where there is no <c>.onnx</c> file.</returns>
    /// <exception cref="OnnxFormatException">There are several, and nothing says which is meant.</exception>
    public static string? In(string folder) => DirectlyIn(folder) ?? DirectlyIn(Path.Combine(folder, HubFolder));

    /// <summary>The folder of what goes with a graph, such as its tokenizer: its own or, on a hub, the one above.</summary>
    public static string CompanionsOf(string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        var isHubs = Path.GetFileName(folder) == HubFolder && !Companions.Any(name => File.Exists(Path.Combine(folder, name)));
        return isHubs && Path.GetDirectoryName(folder) is { } above
            && Companions.Any(name => File.Exists(Path.Combine(above, name)))
            ? above
            : folder;
    }

    private static string? DirectlyIn(string folder)
    {
        string[] names = Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, "*.onnx").Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal)]
            : [];
        if (names.Length == 0)
            return null;
        string?[] meant = [ModelSource.ModelFileName, GenAiConfig.TryRead(folder)?.FileOfGraph, .. Decoders];
        var found = meant.FirstOrDefault(name => names.Contains(name)) ?? (names is [var only] ? only : null);
        return found is null
            ? throw new OnnxFormatException(
                $"{folder}: holds several models, {string.Join(", ", names)}; give the file that is meant, such as "
                + $"{Path.Combine(folder, names[0])}.")
            : Path.Combine(folder, found);
    }
}

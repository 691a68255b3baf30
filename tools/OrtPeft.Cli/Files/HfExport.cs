using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Passes.Idioms;
using OrtPeft.Onnx.Safetensors;

namespace OrtPeft.Cli.Files;

/// <summary>Writes a model's weights under HF's names, so that its folder is an HF folder too.</summary>
internal static class HfExport
{
    /// <summary>Writes <c>model.safetensors</c> when the graph is the one that its description makes.</summary>
    /// <param name="source">Where the base came from.</param>
    /// <param name="merged">The base with other weights.</param>
    /// <param name="folder">Holds <c>config.json</c> and receives the weights.</param>
    /// <returns>False when the graph came from elsewhere: its weights need not mean what HF's do. False too when
    /// merging gave a tied head or embedding a matrix of its own, for which the description has no name.</returns>
    public static bool TryWrite(ModelSource source, Model merged, string folder)
    {
        if (source.Config is not { } config || merged.Metadata.GetValueOrDefault(MetadataKeys.ModelType) != config.ModelType)
            return false;
        var architecture = config.ToArchitecture();
        var weights = merged.Graph.Initializers.ToDictionary(static v => v.Name, static v => v.Initializer!);
        var unmerged = source.Model.Clone();
        CanonicalForm.Apply(unmerged);
        RmsNormLowering.Run(unmerged);
        var isSameGraph = merged.Graph.Nodes.Count == unmerged.Graph.Nodes.Count
            && architecture.Weights.All(w => weights.TryGetValue(w.Name, out var t) && t.Shape.Equals(w.Shape));
        var isTiedNoMore = merged.Graph.Initializers.Any(v =>
            v.Initializer!.Dims.Length == 2 && v.Type.IsFloating() && unmerged.Graph.Find(v.Name) is null);
        if (!isSameGraph || isTiedNoMore)
            return false;
        SafetensorsFile.Save(
            Path.Combine(folder, SafetensorsCheckpoint.FileName),
            architecture.Weights.Select(w => (w.Name, weights[w.Name])),
            new Dictionary<string, string> { ["format"] = "pt" });
        return true;
    }
}

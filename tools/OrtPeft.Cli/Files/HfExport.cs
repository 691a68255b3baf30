using OrtPeft.Models;
using OrtPeft.Models.Checkpoints;
using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Cli.Files;

/// <summary>Writes a model's weights under HF's names, so that its folder is an HF folder too.</summary>
internal static class HfExport
{
    /// <summary>Writes <c>model.safetensors</c> when the graph is the one that its description makes.</summary>
    /// <param name="source">Where the base came from.</param>
    /// <param name="merged">The base with other weights.</param>
    /// <param name="folder">Holds <c>config.json</c> and receives the weights.</param>
    /// <returns>
    /// The type of most of its weights. Null when the graph came from elsewhere: its weights need not mean what HF's
    /// do; when it is the part for texts of a model whose others are not at hand; and when merging gave a tied head or
    /// embedding a matrix of its own, for which the description has no name.
    /// </returns>
    public static ElementType? TryWrite(ModelSource source, Model merged, string folder)
    {
        var family = merged.Metadata.GetValueOrDefault(MetadataKeys.ModelType);
        if (source.Config is not { } config || family != config.ModelType)
            return null;
        var architecture = config.ToArchitecture();
        var isPart = architecture.OldNames.Count > 0;
        if (isPart && source.ModelPath is not null)
            return null;
        var weights = merged.Graph.Initializers.ToDictionary(static v => v.Name, static v => v.Initializer!);
        var isSameGraph = merged.Graph.Nodes.Count == source.Model.Graph.Nodes.Count
            && architecture.Weights.All(w => weights.TryGetValue(w.Name, out var t) && t.Shape.Equals(w.Shape));
        var names = architecture.Weights.Select(static w => w.Name).ToHashSet(StringComparer.Ordinal);
        var hasOthers = merged.Graph.Initializers.Any(v =>
            v.Initializer!.Dims.Length == 2 && v.Type.IsFloating() && !names.Contains(v.Name));
        return !isSameGraph || hasOthers ? null : HfWeightFile.Save(
            folder,
            architecture.Weights.SelectMany(w => w.InCheckpoint(weights[w.Name])),
            source.StoredTypes,
            config.TieWordEmbeddings,
            isPart ? source.StoredNames : null,
            isPart ? source.Others : null);
    }
}

using OrtPeft.Cli.Errors;
using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Cli.Data;

/// <summary>What rows must fit into, as far as a model says.</summary>
internal static class ModelLimits
{
    /// <summary>
    /// How many token ids there are: by <c>config.json</c>, else by the logits, else by <c>genai_config.json</c>; null
    /// if none says.
    /// </summary>
    public static int? VocabularySize(ModelSource source)
    {
        if (source.Config is { } config)
            return config.VocabularySize;
        var logits = DecoderNaming.Named(source.Model).Graph.Outputs
            .FirstOrDefault(static o => o.Name == DecoderNames.Logits);
        return (logits?.Shape is { Rank: > 0 and var rank } shape ? shape[rank - 1].ToCount() : null)
            ?? source.VocabularySize;
    }

    /// <summary>
    /// The positions: by <c>config.json</c>, else a position embedding's rows, else by <c>genai_config.json</c>; no more
    /// than the graph's axes let through. Null if nothing says.
    /// </summary>
    public static int? ContextLength(ModelSource source)
    {
        int?[] limits = [Positions(source), DecoderNames.LengthOf(source.Model.Graph)];
        return limits.Min();
    }

    private static int? Positions(ModelSource source)
    {
        if (source.Config is { } config)
            return config.MaxPositions;
        var table = source.Model.Graph.Initializers.FirstOrDefault(IsPositionEmbedding);
        return (int?)table?.Initializer!.Dims[0] ?? source.MaxPositions;
    }

    /// <summary>The positions that are left beside an adapter's own.</summary>
    /// <param name="source">The model.</param>
    /// <param name="reserved">How many positions the adapter takes.</param>
    /// <exception cref="UsageException">None is left.</exception>
    public static int? ContextLength(ModelSource source, int reserved)
    {
        var all = ContextLength(source);
        if (all <= reserved)
        {
            throw new UsageException(
                $"The adapter has {reserved} virtual tokens and the model {all} positions, so none is left for tokens; "
                + "take fewer with --num-virtual-tokens.");
        }

        return all - reserved;
    }

    private static bool IsPositionEmbedding(Value value) =>
        value.Initializer is { Dims.Length: 2 }
        && DecoderFamilies.IsPositionEmbedding(MergedDecoder.BareName(value.Name));
}

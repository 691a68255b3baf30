using OrtPeft.Models;

namespace OrtPeft.Cli.Data;

/// <summary>What rows must fit into, as far as a model says.</summary>
internal static class ModelLimits
{
    /// <summary>The number of token ids: the description's, else the last axis of the logits; null when neither says.</summary>
    public static int? VocabularySize(ModelSource source)
    {
        if (source.Config is { } config)
            return config.VocabularySize;
        return source.Model.Graph.Outputs is [{ Shape: { Rank: > 0 and var rank } shape }, ..] ? (int?)shape[rank - 1].Value : null;
    }
}

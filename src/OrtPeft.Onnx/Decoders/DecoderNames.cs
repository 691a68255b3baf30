using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Decoders;

/// <summary>
/// Optimum's names of a language model's inputs and outputs, by which everything else looks for them, and what a graph
/// under these names says of its rows.
/// </summary>
internal static class DecoderNames
{
    /// <summary>The tokens, <c>[batch, sequence]</c>.</summary>
    public const string Ids = "input_ids";

    /// <summary>The mask of the tokens that count, <c>[batch, past + sequence]</c>.</summary>
    public const string Mask = "attention_mask";

    /// <summary>The tokens' places, <c>[batch, sequence]</c>.</summary>
    public const string Positions = "position_ids";

    /// <summary>The targets of a graph's own loss, <c>[batch, sequence]</c>: the tokens themselves, as in HF.</summary>
    public const string Labels = "labels";

    /// <summary>The scores of the vocabulary, <c>[batch, sequence, vocabulary]</c>.</summary>
    public const string Logits = "logits";

    /// <summary>Embeddings in place of tokens, <c>[batch, sequence, hidden]</c>; no row of tokens brings
    /// them.</summary>
    public const string Embeddings = "inputs_embeds";

    /// <summary>The prefix of the names of the caches that go in: <c>past_key_values.3.key</c>.</summary>
    public const string Past = "past_key_values";

    /// <summary>The prefix of the names of the caches that come out: <c>present.3.key</c>.</summary>
    public const string Present = "present";

    /// <summary>How many tokens there are: rows of the embedding, or scores where these are fewer.</summary>
    /// <param name="graph">The graph, under Optimum's names.</param>
    /// <returns>The number, or null where nothing tells.</returns>
    public static int? VocabularyOf(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var logits = graph.Outputs.FirstOrDefault(static o => o.Name == Logits)
            ?? (graph.Outputs.Count > 0 ? graph.Outputs[0] : null);
        var scores = logits?.Shape is { Rank: > 1 and var rank } shape ? shape[rank - 1].Value : null;
        return CountOf(DecoderRoles.EmbeddingRows(graph) is { } rows && !(scores < rows) ? rows : scores);
    }

    /// <summary>How many tokens a row may have, as far as the graph's axes say: a fixed sequence, or a cache whose
    /// slots are written in place.</summary>
    /// <param name="graph">The graph, under any names.</param>
    /// <returns>The number, or null where any goes.</returns>
    public static int? LengthOf(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var slots = graph.Inputs.Where(static i => i.Shape is { Rank: 4 or 5 } && CacheInputs.IsState(i))
            .Select(static i => i.Shape![i.Shape.Rank - 2].Value);
        var tokens = DecoderRoles.Of(graph).Ids?.Shape is { Rank: 2 } shape ? shape[1].Value : null;
        return CountOf(slots.Append(tokens).Min());
    }

    /// <summary>The outputs that may be logits: floating-point numbers that are neither scalars nor caches.</summary>
    /// <param name="graph">The graph.</param>
    /// <returns>Their texts, such as <c>a: Float[batch, sequence, 32]</c>.</returns>
    public static IReadOnlyList<string> CandidatesOf(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return [.. DecoderRoles.Candidates(graph).Select(static o => o.ToString())];
    }

    private static int? CountOf(long? length) => length is { } known ? ((Dim)known).ToCount() : null;
}

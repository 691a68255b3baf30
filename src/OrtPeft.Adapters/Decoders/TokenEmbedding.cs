using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Adapters.Decoders;

/// <summary>Where a decoder looks its tokens up, in a graph that can be given more of them.</summary>
/// <param name="Ids">The graph's input of tokens, <c>[batch, sequence]</c>.</param>
/// <param name="LookUp">The only look-up.</param>
internal sealed record TokenEmbedding(Value Ids, TokenLookUp LookUp)
{
    public int Width => LookUp.Width;

    public int VocabularySize => LookUp.VocabularySize;

    /// <summary>Finds the look-up.</summary>
    /// <exception cref="ConfigException">The graph has none that could be extended.</exception>
    public static TokenEmbedding Find(Graph graph)
    {
        if (graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Ids) is not { } ids)
            throw new ConfigException(
                $"Graph '{graph.Name}' has no input 'input_ids', before whose tokens virtual ones could stand.");
        StaticCaches.Refuse(graph);
        if (ids.Shape is not { Rank: 2 } shape || shape[1].Value is not null)
            throw new ConfigException(
                $"Graph '{graph.Name}': virtual tokens make sequences longer, which the input {ids} forbids; " +
                "export the model with dynamic axes.");
        var lookUps = TokenLookUp.All(graph, ids);
        if (lookUps.Count == 0)
            throw new ConfigException(
                $"Graph '{graph.Name}': no Gather looks input_ids up in a constant matrix, so virtual tokens have no place.");
        if (lookUps.Any(LoraInGraph.Of(graph).IsBeside))
        {
            throw new ConfigException(
                $"Graph '{graph.Name}' has LoRA's A and B beside its token embedding, which virtual tokens would not go "
                + "through; export the model after merge_and_unload().");
        }

        return lookUps is [var only] ? new TokenEmbedding(ids, only) : throw new ConfigException(
            $"Graph '{graph.Name}' looks input_ids up in {lookUps.Count} matrices ({string.Join(", ", lookUps.Select(static l => l.Table.Name))}), "
            + "and virtual tokens have rows in one only; choose another method.");
    }

    /// <summary>One row, as float32.</summary>
    /// <exception cref="ConfigException">The vocabulary has no such token.</exception>
    public float[] Row(int token) => token >= 0 && token < VocabularySize
        ? LookUp.Row(token)
        : throw new ConfigException(
            $"Token {token} is to start the prompt; the model's vocabulary is 0..{VocabularySize - 1}.");
}

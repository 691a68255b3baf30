using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Storage;

namespace OrtPeft.Adapters.Decoders;

/// <summary>Where a decoder looks its tokens up.</summary>
/// <param name="Ids">The graph's input of tokens, <c>[batch, sequence]</c>.</param>
/// <param name="Gather">The node; it makes <c>[batch, sequence, width]</c> or <c>[batch · sequence, width]</c>.</param>
/// <param name="Table">One row per token of the vocabulary, <c>[vocabulary, width]</c>.</param>
internal sealed record TokenEmbedding(Value Ids, Node Gather, Tensor Table)
{
    private static readonly string[] OrderKeeping = ["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast", "Identity"];

    public int Width => (int)Table.Dims[1];

    public int VocabularySize => (int)Table.Dims[0];

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
        var lora = LoraInGraph.Of(graph);
        var lookUp = LookUpOf(graph, ids, lora);
        if (lookUp is not null && lora.IsBeside(lookUp))
        {
            throw new ConfigException(
                $"Graph '{graph.Name}' has LoRA's A and B beside its token embedding, which virtual tokens would not go "
                + "through; export the model after merge_and_unload().");
        }

        return lookUp is not null ? new TokenEmbedding(ids, lookUp, lookUp.Inputs[0]!.Constant!) : throw new ConfigException(
            $"Graph '{graph.Name}': no Gather looks input_ids up in a matrix, so virtual tokens have no place.");
    }

    /// <summary>The node that looks tokens up in a constant matrix, or null; LoRA's A is none.</summary>
    public static Node? LookUpOf(Graph graph, Value ids) => LookUpOf(graph, ids, LoraInGraph.Of(graph));

    private static Node? LookUpOf(Graph graph, Value ids, LoraInGraph lora) => graph.Nodes.FirstOrDefault(node =>
        node.Is("Gather") && node.Attributes.Int("axis", 0) == 0
        && node.Inputs[0]!.Constant is { Dims.Length: 2 } table && table.Type.IsFloating()
        && IsOrder(node.Inputs[1], ids) && !lora.IsFactor(node));

    /// <summary>One row, as float32.</summary>
    /// <exception cref="ConfigException">The vocabulary has no such token.</exception>
    public float[] Row(int token)
    {
        if (token < 0 || token >= VocabularySize)
            throw new ConfigException(
                $"Token {token} is to start the prompt; the model's vocabulary is 0..{VocabularySize - 1}.");
        var bytes = (int)Table.Type.ByteCount(Width);
        var row = Table.Data.Slice((long)token * bytes, bytes).ToArray();
        return new Tensor(Table.Type, [Width], new MemoryTensorData(row)).ToFloat32();
    }

    /// <summary>Whether a value is the tokens in their order, whatever its axes.</summary>
    private static bool IsOrder(Value? value, Value ids)
    {
        while (value is not null && value != ids)
        {
            var keeps = value.Producer is { Domain: "" } node && OrderKeeping.Contains(node.OpType);
            value = keeps ? value.Producer!.Inputs[0] : null;
        }

        return value is not null;
    }
}

using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Serving.Embeddings;

/// <summary>Finds the last hidden states of a graph, <c>[batch, sequence, hidden]</c>.</summary>
internal static class HiddenStates
{
    private const string TokenTypes = "token_type_ids";

    /// <summary>Their name in Optimum's graphs without a head.</summary>
    private static readonly string[] Names = ["last_hidden_state", "token_embeddings"];

    /// <summary>Whether a graph has logits.</summary>
    public static bool HasHead(Graph graph) => graph.Outputs.Any(static o => o.Name == DecoderNames.Logits);

    /// <summary>Whether a graph gives hidden states by name, and no logits.</summary>
    public static bool AreAllOf(Graph graph) => !HasHead(graph) && Named(graph) is not null;

    /// <summary>The output that gives them: by its name, else what the head reads, which becomes an output.</summary>
    /// <param name="graph">The graph, under Optimum's names; edited in place.</param>
    /// <returns>The output's name, or null where no product with constant weights makes the logits.</returns>
    public static string? OutputOf(Graph graph)
    {
        if (Named(graph) is { } named)
            return named.Name;
        var logits = graph.Outputs.FirstOrDefault(static o => o.Name == DecoderNames.Logits);
        if (logits is null || HeadWidth.InputBehind(logits) is not { IsGraphInput: false } hidden)
            return null;
        if (!graph.Outputs.Contains(hidden))
            graph.AddOutput(hidden);
        return hidden.Name;
    }

    /// <summary>A model whose tokens are all of the first type, as those of one text are.</summary>
    /// <param name="model">The model; not changed.</param>
    /// <returns>A copy, or the model itself where it has no types.</returns>
    public static Model OfOneType(Model model)
    {
        if (model.Graph.Inputs.All(static i => i.Name != TokenTypes))
            return model;
        var copy = model.Clone();
        var types = copy.Graph.Inputs.First(static i => i.Name == TokenTypes);
        var g = GraphBuilder.Over(copy);
        g.Before = copy.Graph.Nodes[0];
        var ids = copy.Graph.Find(DecoderNames.Ids)
            ?? throw new GraphException($"Graph '{copy.Graph.Name}' has no input '{DecoderNames.Ids}'.");
        copy.Graph.ReplaceAllUsesWith(types, g.Cast(g.Sub(ids, ids), types.Type));
        copy.Graph.Remove(types);
        return copy;
    }

    private static Value? Named(Graph graph) => graph.Outputs.FirstOrDefault(
        static o => Names.Contains(o.Name) && o.Shape is null or { Rank: 3 });
}

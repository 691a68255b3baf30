using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// The nodes that hold graphs of their own and that <see cref="IfResolution"/> leaves: loops, scans, and choices made
/// by data. Running them is ONNX Runtime's matter; adapters and gradients do not reach into them.
/// </summary>
internal static class ControlFlow
{
    /// <summary>Operators that read tables, such as those of rotary embedding.</summary>
    private static readonly HashSet<string> TableReaders =
        ["Gather", "GatherElements", "GatherND", "Slice", "RotaryEmbedding", "GroupQueryAttention"];

    /// <summary>Operators that leave a table one.</summary>
    private static readonly HashSet<string> Forms = ["Identity", "Cast"];

    /// <summary>Checks that no weight matrix is hidden from adapters.</summary>
    /// <param name="model">The model in canonical form.</param>
    /// <exception cref="UnsupportedOpException">A node's own graph reads one; the message names the node.</exception>
    public static void Refuse(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Graph.Nodes.FirstOrDefault(HasLayers) is { } node)
        {
            throw new UnsupportedOpException(
                $"{node} (opset {model.Opset}) {Describe(node)}, with layers inside that OrtPeft does not adapt; " +
                "export the model without it, such as with torch.onnx.export of the eager model.");
        }
    }

    /// <summary>The use that a node makes of its own graphs, as a clause with the node as its subject.</summary>
    /// <param name="node">A node with subgraphs.</param>
    /// <returns>Such as <c>chooses between two graphs at run time by 'flag'</c>.</returns>
    public static string Describe(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.OpType switch
        {
            "If" => $"chooses between two graphs at run time by '{node.Input(0)?.Name}'",
            "Loop" or "Scan" or "SequenceMap" => "repeats a graph at run time",
            _ => "runs a graph of its own",
        };
    }

    /// <summary>The message for a node that the gradient would have to pass.</summary>
    /// <param name="node">A node with subgraphs.</param>
    /// <param name="opset">The version of its operator set.</param>
    public static string NoGradient(Node node, int opset)
    {
        ArgumentNullException.ThrowIfNull(node);
        return $"{node} (opset {opset}) {Describe(node)}{(node.Is("Loop") ? LoopsToScans.ObstacleOf(node) : "")}, between a trainable "
            + "parameter and the loss, and OrtPeft has no gradient for that; choose targets after it, or export the model without it.";
    }

    /// <summary>Whether a node's own graph reads, or gives, a weight matrix.</summary>
    public static bool HasLayers(Node node) => node.Subgraphs.Any(g => ReadsWeights(g) || GivesWeights(node, g));

    private static bool ReadsWeights(Graph graph) => graph.Nodes.Any(static n =>
        HasLayers(n) || (n.Inputs.Any(IsWeight) && !(Forms.Contains(n.OpType) && IsTable(n.Output))));

    /// <summary>Matrices that a node gives are weights, unless it chooses one of them and only what reads tables reads
    /// that.</summary>
    private static bool GivesWeights(Node node, Graph graph) => graph.Outputs.Index().Any(o => IsWeight(o.Item)
        && (!node.Is("If") || o.Index >= node.Outputs.Count || !IsTable(node.Outputs[o.Index])));

    /// <summary>Whether a value goes to readers of tables alone, perhaps out of a choice inside a choice.</summary>
    private static bool IsTable(Value value) =>
        value.Uses.All(static u => TableReaders.Contains(u.Node.OpType)
            || (Forms.Contains(u.Node.OpType) && IsTable(u.Node.Output)))
        && value.ResultOf.All(g => IsChosenTable(g, value));

    private static bool IsChosenTable(Graph branch, Value value) => branch.Holder is { } node && node.Is("If")
        && branch.Outputs.Zip(node.Outputs).All(o => o.First != value || IsTable(o.Second));

    /// <summary>A matrix of numbers; masks have four axes, formulas' constants none or one element.</summary>
    private static bool IsWeight(Value? value) =>
        value?.Constant is { Dims.Length: 2, Count: > 1 } content && content.Type.IsFloating();
}

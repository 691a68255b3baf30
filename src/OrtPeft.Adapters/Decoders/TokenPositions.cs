using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// The positions of the tokens: fed as <c>position_ids</c>, or counted in the graph. Masks count too, so counted ones
/// are taken only where they look a table up or become the angles of rotary embeddings.
/// </summary>
internal static class TokenPositions
{
    private static readonly string[] AroundTables = ["Squeeze", "Unsqueeze", "Reshape", "Cast", "Identity", "Slice"];

    private static readonly string[] AroundAngles =
        ["Mul", "MatMul", "Einsum", "Concat", "Transpose", "Reshape", "Unsqueeze", "Squeeze", "Expand", "Identity"];

    /// <summary>Moves every token some positions on.</summary>
    /// <param name="g">The builder of the graph.</param>
    /// <param name="by">How many positions.</param>
    /// <param name="layers">The attention, whose masks stay as they are: they compare tokens with tokens.</param>
    /// <exception cref="ConfigException">The graph does not say where positions enter it.</exception>
    public static void Shift(GraphBuilder g, long by, IReadOnlyList<AttentionLayer> layers)
    {
        var graph = g.Graph;
        StaticCaches.Refuse(graph);
        var given = graph.Inputs.FirstOrDefault(static i => i.Name == DecoderNames.Positions);
        var reads = given is null ? [] : OutsideOf(MasksOf(layers), given).ToArray();
        if (reads.Length == 0)
            reads = [.. Counted(graph, new PlaceCounts(g.Shapes)).Distinct()];
        if (reads.Length == 0)
            throw new ConfigException(
                $"Graph '{graph.Name}': it has no input 'position_ids', and no counted positions look up a table or " +
                "turn rotary embeddings, so its tokens cannot be moved after a prefix; export the model with " +
                "position_ids.");
        foreach (var use in reads)
        {
            g.Before = use.Node;
            use.Node.SetInput(use.Index, g.Add(use.Node.Inputs[use.Index]!, by));
        }

        g.Before = null;
    }

    /// <summary>The nodes that make the masks.</summary>
    private static HashSet<Node> MasksOf(IReadOnlyList<AttentionLayer> layers)
    {
        var nodes = new HashSet<Node>();
        var open = new Stack<Value>(layers.SelectMany(static l => l.Scores.Masks));
        while (open.TryPop(out var value))
        {
            if (value.Producer is not { } node || node.Is("MatMul") || !nodes.Add(node))
                continue;
            foreach (var input in node.Inputs.OfType<Value>())
                open.Push(input);
        }

        return nodes;
    }

    /// <summary>Where places are read by others than the masks, which may share them in another shape.</summary>
    private static IEnumerable<Use> OutsideOf(HashSet<Node> masks, Value places)
    {
        var open = new Stack<Value>([places]);
        while (open.TryPop(out var next))
        {
            foreach (var use in next.Uses)
            {
                if (!masks.Contains(use.Node))
                    yield return use;
                else if (use.Index == 0 && AroundTables.Contains(use.Node.OpType))
                    open.Push(use.Node.Output);
            }
        }
    }

    private static IEnumerable<Use> Counted(Graph graph, PlaceCounts places)
    {
        foreach (var node in graph.Nodes)
        {
            if (node.Is("Gather") && IsTable(node.Inputs[0]) && places.Reach(node.Inputs[1]!))
            {
                yield return new Use(node, 1);
                if (CutOf(node.Inputs[0]!) is { } cut)
                    yield return new Use(cut, 2);
            }

            if (node.Is("Sin") || node.Is("Cos"))
            {
                foreach (var use in Angles(new Use(node, 0), places))
                    yield return use;
            }
        }
    }

    /// <summary>Whether a value is a constant matrix of numbers, as far as its axes go, or a piece of one.</summary>
    private static bool IsTable(Value? value)
    {
        while (value?.Producer is { Domain: "" } node && AroundTables.Contains(node.OpType))
            value = node.Inputs[0];
        return value is { Constant.Dims.Length: >= 2 } && value.Type.IsFloating();
    }

    /// <summary>Where a table is cut to the tokens' number, which is computed, before it is looked up.</summary>
    private static Node? CutOf(Value table)
    {
        while (table.Producer is { } node && !node.Is("Slice"))
            table = node.Inputs[0]!;
        return table.Producer?.Input(2) is { Constant: null } ? table.Producer : null;
    }

    /// <summary>Where whole numbers become the angles that sines and cosines are taken of.</summary>
    private static IEnumerable<Use> Angles(Use at, PlaceCounts places)
    {
        var (seen, open) = (new HashSet<Value>(), new Stack<Use>([at]));
        while (open.TryPop(out var next))
        {
            if (next.Node.Inputs[next.Index] is not { Producer: { } node } value || !value.Type.IsFloating())
                continue;
            if (node.Is("Range"))
                yield return next;
            else if (!seen.Add(value))
                continue;
            else if (node.Is("Cast") && places.Reach(node.Inputs[0]!))
                yield return new Use(node, 0);
            else if (AroundAngles.Contains(node.OpType))
            {
                foreach (var index in Enumerable.Range(0, node.Inputs.Count))
                    open.Push(new Use(node, index));
            }
        }
    }
}

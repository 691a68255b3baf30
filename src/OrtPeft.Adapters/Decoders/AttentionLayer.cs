using System.Runtime.CompilerServices;
using OrtPeft.Adapters.Modules;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Decoders;
using OrtPeft.Tensors;

namespace OrtPeft.Adapters.Decoders;

/// <summary>softmax(scores(Q·Kᵀ))·V in a graph.</summary>
/// <param name="Scores">From Q·Kᵀ to softmax.</param>
/// <param name="Softmax">Softmax over the keys.</param>
/// <param name="Context">The product of the weights and V.</param>
internal sealed record AttentionLayer(ScorePath Scores, Node Softmax, Node Context)
{
    private static readonly string[] AfterSoftmax = ["Cast", "Dropout", "Identity", "Where", "Slice"];

    private static readonly string[] Norms = ["SimplifiedLayerNormalization", "LayerNormalization"];

    private static readonly string[] BeforeKeys =
    [
        .. Norms, "Transpose", "Reshape", "Expand", "Tile", "Unsqueeze", "Squeeze", "Concat", "Mul", "Div", "Add", "Neg", "Slice",
        "Split", "Gather", "Cast", "Identity", "Where",
    ];

    public Value Queries => Scores.Product.Inputs[0]!;

    /// <summary><c>[batch, heads…, width, total]</c>.</summary>
    public Value Keys => Scores.Product.Inputs[1]!;

    /// <summary><c>[batch, heads…, total, width]</c>.</summary>
    public Value Values => Context.Inputs[1]!;

    /// <summary>The elements of a head, or null when unknown.</summary>
    public long? Width => Queries.Shape is { Rank: > 2 } shape ? shape[shape.Rank - 1].Value : null;

    /// <summary>The heads of the queries, or null where they are on no axes of their own.</summary>
    public long? QueryHeads => HeadLayout.CountOf(Scores.Product.Output);

    /// <summary>Softmax and the nodes that its weights pass on the way to <see cref="Context"/>, in execution order.</summary>
    public IReadOnlyList<Node> WeightNodes()
    {
        var nodes = new List<Node> { Softmax };
        for (var i = 0; i < nodes.Count; i++)
        {
            var next = nodes[i].Output.Uses.Select(static u => u.Node);
            nodes.AddRange(next.Where(n => n.Domain.Length == 0 && AfterSoftmax.Contains(n.OpType) && !nodes.Contains(n)).Distinct());
        }

        return nodes;
    }

    /// <summary>The layers in execution order; a softmax without such products beside it is none.</summary>
    public static IReadOnlyList<AttentionLayer> All(Graph graph)
    {
        var layers = new List<AttentionLayer>();
        foreach (var softmax in graph.Nodes.Where(static n => n.Is("Softmax") && IsOverLastAxis(n)))
        {
            if (ScorePath.To(softmax) is { } scores && ContextOf(softmax.Output, []) is { } context)
                layers.Add(new AttentionLayer(scores, softmax, context));
        }

        return layers;
    }

    /// <summary>
    /// The heads that keys are projected to, and that a cache holds: fewer than the queries' where groups share them.
    /// Null when nothing tells.
    /// </summary>
    public long? KeyHeads() => KeyHeads(Keys, []) is { } heads and not long.MaxValue ? heads : null;

    /// <summary>
    /// The fewest heads that stand beside each other between a value and the projection or cache that it comes from: groups
    /// share them afterwards, and a projection may have those of queries and values beside them. Null where it comes from
    /// neither, as the angles of rotary embeddings; the largest number where no axes tell.
    /// </summary>
    private long? KeyHeads(Value value, Dictionary<Value, long?> known)
    {
        if (known.TryGetValue(value, out var before))
            return before;
        return known[value] = OfPath();

        long? OfPath()
        {
            if (CacheInputs.IsPast(value) && value.Shape![value.Shape.Rank - 3].Value is { } cached)
                return cached;
            if (value.Producer is not { Domain: "" } node)
                return null;
            if (ModuleCatalogue.IsProduct(node))
                return long.MaxValue;
            if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
                return long.MaxValue;
            if (!BeforeKeys.Contains(node.OpType))
                return null;
            var inputs = node.Inputs.OfType<Value>().Where(static i => i.Type.IsFloating())
                .Take(Norms.Contains(node.OpType) ? 1 : int.MaxValue);
            var fewest = inputs.Select(i => KeyHeads(i, known)).OfType<long>().Order().Cast<long?>().FirstOrDefault();
            var own = HeadsBeside(value) ?? (node.Is("Reshape") ? ProjectedHeads(node) : null);
            return fewest is null ? null : Math.Min(fewest.Value, own ?? long.MaxValue);
        }
    }

    /// <summary>The heads of <c>[batch, heads…, sequence, width]</c> or <c>[batch, sequence, heads…, width]</c>, where the
    /// sequence has no fixed length; null where the axes are others.</summary>
    private long? HeadsBeside(Value value)
    {
        if (value.Shape is not { Rank: >= 4 } shape || shape[shape.Rank - 1].Value != Width)
            return null;
        var axes = shape.Skip(1).SkipLast(1).Select(static d => d.Value).ToArray();
        return axes.Count(static a => a is null) == 1 ? axes.OfType<long>().Aggregate(1L, static (a, b) => a * b) : null;
    }

    /// <summary>Factors that the keys get after the cache: some exporters scale them there.</summary>
    public IEnumerable<Node> KeyFactors()
    {
        var value = Keys;
        while (value.Producer is { Domain: "" } node && BeforeKeys.Contains(node.OpType))
        {
            if (node.OpType is "Concat" or "Add" or "Slice" or "Split" or "Gather" or "Where" || Norms.Contains(node.OpType))
                yield break;
            if (node.Is("Reshape") && ProjectedHeads(node) is not null)
                yield break;
            if (node.OpType is "Mul" or "Div")
            {
                if (node.Inputs[1]!.Shape is not { } shape || shape.Any(static d => d.Value != 1))
                    yield break;
                yield return node;
            }

            value = node.Inputs[0]!;
        }
    }

    /// <summary>From rows of a projection, <c>[…, heads · width]</c>, to heads apart.</summary>
    private long? ProjectedHeads(Node reshape)
    {
        var (from, to) = (reshape.Inputs[0]!.Shape, reshape.Output.Shape);
        var isApart = from is { Rank: 2 or 3 } && to is { Rank: >= 4 } && to[to.Rank - 1].Value == Width;
        return isApart && from![from.Rank - 1].Value is { } all && all % Width == 0 ? all / Width : null;
    }

    private static Node? ContextOf(Value weights, HashSet<Value> seen)
    {
        if (!seen.Add(weights) || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            return null;
        foreach (var use in weights.Uses)
        {
            if (use.Node.Is("MatMul") && use.Index == 0)
                return use.Node;
            var isPassed = use.Node.Domain.Length == 0 && AfterSoftmax.Contains(use.Node.OpType);
            if (isPassed && ContextOf(use.Node.Output, seen) is { } context)
                return context;
        }

        return null;
    }

    private static bool IsOverLastAxis(Node softmax) =>
        softmax.Attributes.Int("axis", -1) is var axis && (axis == -1 || axis == softmax.Output.Shape?.Rank - 1);
}

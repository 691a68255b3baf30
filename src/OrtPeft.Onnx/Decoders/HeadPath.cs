using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Decoders;

/// <summary>
/// The way from the product that makes scores of the vocabulary, a language model's head, to the output that gives
/// them: what models do to logits after the product, such as a bias, a scale, a softcap (Div-Tanh-Mul), a mask of
/// words, a cut or a cast.
/// </summary>
/// <param name="Product">The head's product.</param>
/// <param name="After">The nodes after it, in execution order; empty where the product makes the output.</param>
internal sealed record HeadPath(Node Product, IReadOnlyList<Node> After)
{
    private static readonly HashSet<string> KeepNumbers = ["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"];

    private static readonly HashSet<string> OfFirstInput =
    [
        .. KeepNumbers,
        "Cast", "CastLike", "Transpose", "Expand", "Slice", "Gather", "Pad", "Split",
        "Tanh", "Clip", "Neg", "Softmax", "LogSoftmax", "Dropout", "ScatterElements", "ScatterND",
        "QuantizeLinear", "DequantizeLinear",
    ];

    private static readonly HashSet<string> OfAnyInput = ["Add", "Sub", "Mul", "Div", "Sum", "Min", "Max"];

    /// <summary>
    /// Whether the output is the product itself, row by row in the same order; a cast to float32 changes nothing.
    /// </summary>
    public bool IsPlain => After.All(static n =>
        n.Domain.Length == 0
        && (KeepNumbers.Contains(n.OpType) || (n.Is("Cast") && n.Output.Type == ElementType.Float)));

    /// <summary>Looks for the product that makes an output. Linear in the graph's size.</summary>
    /// <param name="output">The logits.</param>
    /// <param name="isProduct">Whether a node multiplies by a matrix of weights.</param>
    /// <returns>
    /// The way, or null where something else makes the output. A sum with what the product itself was computed from is
    /// a residual connection and no head. Of a product and a low-rank update beside it, the product.
    /// </returns>
    public static HeadPath? To(Value output, Func<Node, bool> isProduct)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(isProduct);
        if (output.Producer is not { } last)
            return null;
        var (readers, products) = Search(last, isProduct);
        var found = new List<(HeadPath Path, HashSet<Node> Before)>();
        foreach (var product in products)
        {
            var before = NodesBefore(product.Input(0));
            var path = new HeadPath(product, Way(product, readers));
            if (!path.IsResidual(before))
                found.Add((path, before));
        }

        return found.FirstOrDefault(f => found.All(other => !f.Before.Contains(other.Path.Product)
            && IsBefore(f.Path.Product.Input(0), other.Before, other.Path.Product))).Path
            ?? found.FirstOrDefault().Path;
    }

    /// <summary>Walks back from the output; says of each node what reads it on the shortest way there.</summary>
    private static (Dictionary<Node, Node?> Readers, List<Node> Products) Search(Node last, Func<Node, bool> isProduct)
    {
        var (readers, products) = (new Dictionary<Node, Node?> { [last] = null }, new List<Node>());
        var open = new Queue<Node>([last]);
        while (open.TryDequeue(out var node))
        {
            if (isProduct(node))
            {
                products.Add(node);
                continue;
            }

            foreach (var producer in Followed(node).Select(static v => v?.Producer).OfType<Node>())
            {
                if (readers.TryAdd(producer, node))
                    open.Enqueue(producer);
            }
        }

        return (readers, products);
    }

    private static IEnumerable<Value?> Followed(Node node)
    {
        if (node.Domain.Length > 0)
            return [];
        if (node.Is("Where"))
            return node.Inputs.Skip(1);
        if (OfAnyInput.Contains(node.OpType))
            return node.Inputs;
        return OfFirstInput.Contains(node.OpType) ? [node.Input(0)] : [];
    }

    private static List<Node> Way(Node product, Dictionary<Node, Node?> readers)
    {
        var way = new List<Node>();
        for (var node = readers[product]; node is not null; node = readers[node])
            way.Add(node);
        return way;
    }

    /// <summary>Whether something is added on the way that the product was computed from.</summary>
    private bool IsResidual(HashSet<Node> before)
    {
        var onWay = After.Prepend(Product).ToHashSet();
        return After.SelectMany(Followed).Select(static v => v?.Producer).OfType<Node>()
            .Any(p => !onWay.Contains(p) && before.Contains(p));
    }

    private static HashSet<Node> NodesBefore(Value? value)
    {
        var seen = new HashSet<Node>();
        var open = new Stack<Node?>([value?.Producer]);
        while (open.TryPop(out var node))
        {
            if (node is null || !seen.Add(node))
                continue;
            foreach (var input in node.Inputs)
                open.Push(input?.Producer);
        }

        return seen;
    }

    /// <summary>Whether another product, itself or another, is computed from what this one reads.</summary>
    private static bool IsBefore(Value? read, HashSet<Node> before, Node product) =>
        product.Input(0) == read || (read?.Producer is { } producer && before.Contains(producer));
}

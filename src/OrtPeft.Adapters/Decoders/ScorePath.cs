using System.Runtime.CompilerServices;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Decoders;

/// <summary>
/// A graph's treatment of the products of queries and keys before softmax: scaling, capping, masking. Scores of further
/// keys get all of it but the masks.
/// </summary>
internal sealed class ScorePath
{
    private static readonly string[] Passed =
    [
        "Add", "Sub", "Mul", "Div", "Where", "Cast", "Identity", "Tanh", "Reshape", "Concat", "Max", "Min", "Clip",
    ];

    private readonly IReadOnlyList<Use> _steps;

    private ScorePath(Node product, IReadOnlyList<Use> steps)
    {
        Product = product;
        _steps = steps;
    }

    /// <summary>
    /// The product of queries <c>[batch, heads…, sequence, width]</c> and keys <c>[batch, heads…, width, total]</c>.
    /// </summary>
    public Node Product { get; }

    /// <summary>The other operands on the way: scales and masks.</summary>
    public IEnumerable<Value> Masks =>
        _steps.SelectMany(static s => s.Node.Inputs.Where((_, i) => i != s.Index)).OfType<Value>();

    /// <summary>The way to a node's input, or null when no product leads there.</summary>
    public static ScorePath? To(Node softmax)
    {
        var steps = new List<Use>();
        return Search(softmax.Input(0), steps, []) is { } product ? new ScorePath(product, steps) : null;
    }

    /// <summary>Treats products with other keys as those of <see cref="Product"/>, all of them visible.</summary>
    /// <exception cref="ConfigException">A step cannot be told to be scale or mask.</exception>
    public Value Apply(GraphBuilder g, Value products)
    {
        foreach (var (node, index) in _steps)
        {
            products = node.OpType switch
            {
                "Cast" => g.Op("Cast", [products], [.. node.Attributes]),
                "Tanh" => g.Op("Tanh", products),
                "Add" or "Sub" or "Mul" or "Div" => Applied(g, node, index, products),
                _ => products,
            };
        }

        return products;
    }

    /// <summary>An operand of length 1 along the keys is the same for all of them; any other one is a mask.</summary>
    private static Value Applied(GraphBuilder g, Node node, int index, Value products)
    {
        var other = node.Inputs[1 - index]!;
        if (other.Shape is not { } shape)
        {
            throw new ConfigException(
                $"{node}: the axes of '{other.Name}' are not known, so it may be a scale or a mask of the attention " +
                "scores; export the model with shapes.");
        }

        if (shape.Rank > 0 && shape[shape.Rank - 1].Value != 1)
            return products;
        return index == 0 ? g.Op(node.OpType, products, other) : g.Op(node.OpType, other, products);
    }

    private static Node? Search(Value? value, List<Use> steps, HashSet<Value> seen)
    {
        if (value?.Producer is not { Domain: "" } node || !seen.Add(value) || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
            return null;
        if (IsProduct(node))
            return node;
        if (!Passed.Contains(node.OpType))
            return null;
        for (var i = 0; i < node.Inputs.Count; i++)
        {
            if (Search(node.Inputs[i], steps, seen) is not { } product)
                continue;
            steps.Add(new Use(node, i));
            return product;
        }

        return null;
    }

    private static bool IsProduct(Node node) =>
        node.Is("MatMul") && node.Inputs.All(static i => i is { Initializer: null, Constant: null } && !IsWeight(i));

    private static bool IsWeight(Value value) =>
        value.Producer is { } node && node.Is("Transpose") && node.Inputs[0]?.Constant is not null;
}

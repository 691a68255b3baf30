using OrtPeft.Kernels.Products;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>The part of a graph between two linear layers: values of one row length, made element by element.</summary>
internal sealed class PaddedRegion
{
    /// <summary>Functions that are finite at 0, in value and slope.</summary>
    private static readonly HashSet<string> Unary =
    [
        "Relu", "Gelu", "Sigmoid", "Tanh", "Erf", "LeakyRelu", "Elu", "Selu", "Softplus", "HardSigmoid", "HardSwish",
        "Mish", "Neg", "Identity",
    ];

    private static readonly HashSet<string> Binary = ["Add", "Sub", "Mul"];

    private readonly long _columns;
    private readonly List<LinearProduct> _first = [];
    private readonly List<LinearProduct> _last = [];
    private readonly HashSet<Value> _values = [];
    private readonly List<(Node Node, int Input)> _vectors = [];
    private readonly List<Node> _reshapes = [];

    private PaddedRegion(long columns) => _columns = columns;

    /// <summary>The region after a product; null where it does not begin and end in products with constants
    /// alone.</summary>
    public static PaddedRegion? Grow(LinearProduct product)
    {
        var region = new PaddedRegion(product.Columns);
        var queue = new Queue<Value>();
        if (!region.Enter(product.Node.Output, queue))
            return null;
        while (queue.TryDequeue(out var value))
        {
            if (value.IsGraphOutput || !region.Follow(value, queue) || !value.Uses.All(use => region.Take(use, queue)))
                return null;
        }

        return region._last.Count > 0 ? region : null;
    }

    /// <summary>Gives the weights and vectors their zeros.</summary>
    public void Pad(GraphBuilder g)
    {
        foreach (var product in _first)
        {
            Pad(g, product.Node, 1, product.ColumnAxis);
            if (product.Node.Input(2) is not null)
                Pad(g, product.Node, 2, 0);
        }

        foreach (var product in _last)
            Pad(g, product.Node, 1, product.RowAxis);
        foreach (var (node, input) in _vectors)
            Pad(g, node, input, 0);
        foreach (var reshape in _reshapes)
            Lengthen(g, reshape);
        foreach (var value in _values)
            value.Shape = [.. value.Shape!.Take(value.Shape!.Rank - 1), _columns + RowPadding.Extra];
    }

    private static void Pad(GraphBuilder g, Node node, int input, int axis)
    {
        (g.Before, g.Scope) = (node, node.Name);
        node.SetInput(input, RowPadding.Lengthened(g, node.Inputs[input]!, axis));
    }

    private static void Lengthen(GraphBuilder g, Node reshape)
    {
        var shape = reshape.Inputs[1]!;
        if (shape.Constant?.ToInt64() is [.., -1])
            return;
        (g.Before, g.Scope) = (reshape, reshape.Name);
        var longer = new long[reshape.Output.Shape!.Rank];
        longer[^1] = RowPadding.Extra;
        reshape.SetInput(1, g.Add(shape, g.Int64(longer)));
    }

    private bool Enter(Value value, Queue<Value> queue)
    {
        if (value.Shape is not { Rank: >= 2 } shape || shape[shape.Rank - 1].Value != _columns)
            return false;
        if (_values.Add(value))
            queue.Enqueue(value);
        return true;
    }

    /// <summary>Follows a value into a node that reads it.</summary>
    private bool Take(Use use, Queue<Value> queue)
    {
        var node = use.Node;
        if (IsElementwise(node) || (node.Is("Reshape") && use.Index == 0))
            return Enter(node.Output, queue);
        if (use.Index != 0 || LinearProduct.Of(node) is not { } product || product.Rows != _columns)
            return false;
        _last.Add(product);
        return true;
    }

    /// <summary>Follows a value back to what makes it.</summary>
    private bool Follow(Value value, Queue<Value> queue)
    {
        if (value.Producer is not { } node)
            return false;
        if (IsElementwise(node))
            return node.Inputs.Index().All(input => Operand(node, input.Index, input.Item!, queue));
        if (node.Is("Reshape") && EndsInColumns(node))
        {
            _reshapes.Add(node);
            return Enter(node.Inputs[0]!, queue);
        }

        if (LinearProduct.Of(node) is not { } product || product.Columns != _columns)
            return false;
        _first.Add(product);
        return true;
    }

    private bool Operand(Node node, int index, Value input, Queue<Value> queue)
    {
        if (input.Initializer is not { Type: ElementType.Float } constant)
            return Enter(input, queue);
        if (constant.Count == 1)
            return true;
        _vectors.Add((node, index));
        return constant.Dims is [var length] && length == _columns;
    }

    private static bool IsElementwise(Node node) =>
        node.Domain.Length == 0 && (Unary.Contains(node.OpType) || Binary.Contains(node.OpType));

    /// <summary>Whether a new shape ends in the row's length as it stands, or leaves it to the rest.</summary>
    private bool EndsInColumns(Node reshape)
    {
        var shape = reshape.Inputs[1]!;
        if (shape.Constant is { } constant)
            return constant.ToInt64() is [.., var end] && (end == _columns || end == -1);
        return shape.Producer is { } concat && concat.Is("Concat")
            && concat.Inputs[^1]!.Constant?.ToInt64() is [.., var last] && last == _columns;
    }
}

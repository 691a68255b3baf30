using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff;

/// <summary>The node, values and gradients that a gradient rule works with.</summary>
public sealed class RuleContext
{
    private readonly IReadOnlyList<Value?> _upstream;
    private readonly bool[] _isRead;

    internal RuleContext(Node node, IReadOnlyList<Value?> upstream, GraphBuilder builder)
    {
        Node = node;
        _upstream = upstream;
        _isRead = new bool[upstream.Count];
        G = builder;
    }

    /// <summary>The node to differentiate.</summary>
    public Node Node { get; }

    /// <summary>Adds nodes to the graph.</summary>
    public GraphBuilder G { get; }

    /// <summary>The values of the graph that need a gradient.</summary>
    internal IReadOnlySet<Value> Wanted { get; init; } = new HashSet<Value>();

    /// <summary>Differentiates a graph inside of the node, given the builder of a copy, the seeds there, and the values to
    /// differentiate with respect to.</summary>
    internal Func<GraphBuilder, IReadOnlyList<Seed>, IReadOnlyList<Value>, IReadOnlyList<Value>> Inside { get; init; } =
        static (_, _, _) => [];

    /// <summary>The gradients at values that a graph inside of the node reads of the graph around it.</summary>
    internal List<(Value Value, Value Gradient)> OfCaptured { get; } = [];

    /// <summary>The gradient of the loss at the first output.</summary>
    /// <exception cref="UnsupportedOpException">The loss depends on another output only.</exception>
    public Term DY => G.Term(Upstream(0)
        ?? throw new UnsupportedOpException($"{Node}: only output {Unread} has a gradient, which the operator's rule " +
            "does not handle; make the model use the first output."));

    /// <summary>The first output.</summary>
    public Term Y => G.Term(Node.Outputs[0]);

    /// <summary>An input that must be there.</summary>
    /// <param name="index">From 0.</param>
    /// <returns>The value.</returns>
    public Term X(int index = 0) => G.Term(
        Node.Input(index) ?? throw new GraphException($"{Node}: input {index} is missing."));

    /// <summary>The gradient at an output, or null when the loss does not depend on it.</summary>
    /// <param name="output">From 0.</param>
    /// <returns>The gradient.</returns>
    public Value? Upstream(int output)
    {
        _isRead[output] = true;
        return _upstream[output];
    }

    /// <summary>An output whose gradient the rule has not asked for, or −1.</summary>
    internal int Unread =>
        Enumerable.Range(0, _isRead.Length).FirstOrDefault(i => !_isRead[i] && _upstream[i] is not null, -1);

    /// <summary>The number of axes of a value.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Its rank.</returns>
    /// <exception cref="UnsupportedOpException">The rank could not be inferred.</exception>
    public int Rank(Value value) => ShapeOf(value).Rank;

    /// <summary>The axes of a value.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Its shape; single axes may be unknown.</returns>
    /// <exception cref="UnsupportedOpException">Not even the number of axes could be inferred.</exception>
    public Shape ShapeOf(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Shape ?? throw new UnsupportedOpException(
            $"{Node}: the number of axes of '{value.Name}' is not known, and its gradient needs it; export the model " +
            "with shapes, or run shape inference on it first.");
    }

    /// <summary>An axis attribute counted from the front.</summary>
    /// <param name="otherwise">The operator's default.</param>
    /// <param name="rank">How many axes there are to count.</param>
    /// <returns>0 to rank − 1.</returns>
    /// <exception cref="GraphException">There is no such axis.</exception>
    public long Axis(long otherwise, int rank) => FromFront(Node.Attributes.Int("axis", otherwise), rank);

    /// <summary>An axis counted from the front.</summary>
    /// <param name="axis">From 0, or from −1 where it is counted from the end.</param>
    /// <param name="rank">How many axes there are to count.</param>
    /// <returns>0 to rank − 1.</returns>
    /// <exception cref="GraphException">There is no such axis.</exception>
    public long FromFront(long axis, int rank)
    {
        if (axis < -rank || axis >= rank)
            throw new GraphException($"{Node}: axis {axis} lies outside of rank {rank}; export the model again.");
        return axis < 0 ? axis + rank : axis;
    }

    /// <summary>Zeros in the shape of a value, of its type or, where that holds integers, of the gradient's.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The zeros.</returns>
    public Value ZerosLike(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var type = _upstream.OfType<Value>().First();
        return value.Type.IsFloating() ? G.ZerosLike(value) : G.Expand(G.ScalarLike(type, 0), G.Shape(value));
    }

    /// <summary>One entry per input, all null but the first few.</summary>
    /// <param name="gradients">The gradients of the first inputs.</param>
    /// <returns>As many entries as the node has inputs.</returns>
    public IReadOnlyList<Value?> PadToInputs(params ReadOnlySpan<Value?> gradients)
    {
        var all = new Value?[Node.Inputs.Count];
        gradients[..Math.Min(gradients.Length, all.Length)].CopyTo(all);
        return all;
    }

    /// <summary>The content of a constant integer input.</summary>
    /// <param name="index">From 0.</param>
    /// <returns>The numbers, or null when the input is left out.</returns>
    /// <exception cref="UnsupportedOpException">The input is computed at run time.</exception>
    public long[]? ConstantInput(int index)
    {
        if (Node.Input(index) is not { } input)
            return null;
        if (input.Constant is { } content && content.Type is not (ElementType.Int64 or ElementType.Int32))
            throw new GraphException($"{Node}: input {index} ({input}) must hold integers; export the model again.");
        return input.Constant?.ToInt64() ?? throw new UnsupportedOpException(
            $"{Node}: input {index} ('{input.Name}') is computed at run time; its gradient needs it to be constant.");
    }
}

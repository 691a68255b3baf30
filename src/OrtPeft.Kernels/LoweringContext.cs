using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels;

/// <summary>The node and graph that a lowering rule works with.</summary>
public sealed class LoweringContext
{
    private readonly Dictionary<(string Name, Value X, Value? Other), object> _shared = [];
    private readonly Func<Node, bool> _isKept;

    internal LoweringContext(GraphBuilder g, Func<Node, bool> isKept) => (G, _isKept) = (g, isKept);

    /// <summary>Adds nodes before the one that is lowered.</summary>
    public GraphBuilder G { get; }

    /// <summary>The node that is lowered.</summary>
    public Node Node { get; internal set; } = null!;

    /// <summary>An input that must be there.</summary>
    /// <param name="index">From 0.</param>
    /// <returns>The value as a term.</returns>
    public Term X(int index) => G.Term(Node.Inputs[index]!);

    /// <summary>Values that several nodes are lowered to, so that they are computed once.</summary>
    /// <typeparam name="T">A value or a few of them.</typeparam>
    /// <param name="name">What is computed.</param>
    /// <param name="x">From what.</param>
    /// <param name="other">And from what else.</param>
    /// <param name="make">Computes it the first time.</param>
    /// <returns>The values.</returns>
    public T Shared<T>(string name, Value x, Value? other, Func<T> make)
        where T : notnull
    {
        ArgumentNullException.ThrowIfNull(make);
        if (!_shared.TryGetValue((name, x, other), out var known))
            _shared.Add((name, x, other), known = make());
        return (T)known;
    }

    /// <summary>Whether a node of an operator that reads a value is going to be lowered, too.</summary>
    /// <param name="op">The operator.</param>
    /// <param name="x">The value.</param>
    /// <returns>Whether there is one.</returns>
    public bool IsLoweredWith(FusedOp op, Value x)
    {
        ArgumentNullException.ThrowIfNull(op);
        ArgumentNullException.ThrowIfNull(x);
        return x.Uses.Any(u => op.Is(u.Node) && !_isKept(u.Node));
    }
}

using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx;

/// <summary>
/// An edge of the graph: produced by a node, fed as an input, or constant. It knows who makes and who reads it; the
/// links
/// are kept by the graph's and the node's editing verbs. Compared by reference; not thread-safe while edited.
/// </summary>
public sealed class Value
{
    private readonly List<Use> _uses = [];
    private List<Graph>? _resultOf;

    internal Value(string name, ElementType type = ElementType.Undefined, Shape? shape = null)
    {
        Name = name;
        Type = type;
        Shape = shape;
    }

    /// <summary>The name, unique in its graph; empty for an output that its node leaves out.</summary>
    public string Name { get; internal set; }

    /// <summary>The element type; undefined until stated or inferred, and for values that are not tensors.</summary>
    public ElementType Type { get; set; }

    /// <summary>The axes, or null while even their number is unknown.</summary>
    public Shape? Shape { get; set; }

    /// <summary>The node that makes the value, or null for graph inputs and constants.</summary>
    public Node? Producer { get; internal set; }

    /// <summary>The value's place among its producer's outputs, from 0.</summary>
    public int OutputIndex { get; internal set; }

    /// <summary>The graph that owns the value, or null once it was removed.</summary>
    public Graph? Graph { get; internal set; }

    /// <summary>The constant's content when the value is an initializer, else null.</summary>
    public Tensor? Initializer { get; internal set; }

    /// <summary>
    /// Every place that reads the value, in the order in which the reads were added; subgraphs included.
    /// </summary>
    public IReadOnlyList<Use> Uses => _uses;

    /// <summary>Whether the value is fed from outside.</summary>
    public bool IsGraphInput { get; internal set; }

    /// <summary>Whether the value is a result of its graph, or of a graph inside.</summary>
    public bool IsGraphOutput => ResultOf.Count > 0;

    /// <summary>
    /// The content when it is constant: an initializer that cannot be overridden from outside, or a Constant node's
    /// tensor.
    /// </summary>
    public Tensor? Constant
    {
        get
        {
            if (Initializer is not null)
                return IsGraphInput ? null : Initializer;
            return Producer is { OpType: "Constant", Domain: "" } node ? ConstantNodes.ContentOf(node) : null;
        }
    }

    /// <summary>Fields of the file's value that have no member here, as protobuf bytes.</summary>
    internal ReadOnlyMemory<byte> Unmodelled { get; set; }

    /// <summary>The type of a value that is not a tensor, as protobuf bytes; empty for tensors.</summary>
    internal ReadOnlyMemory<byte> OpaqueType { get; set; }

    /// <summary>Name, type and axes, for messages.</summary>
    /// <returns>Such as <c>logits: Float[batch, sequence, 50257]</c>.</returns>
    public override string ToString() => $"{Name}: {Type}{Shape?.ToString() ?? "[…]"}";

    /// <summary>The graphs that it is a result of, once for each of its places among their results.</summary>
    internal IReadOnlyList<Graph> ResultOf => _resultOf ?? (IReadOnlyList<Graph>)[];

    internal void AddResult(Graph graph) => (_resultOf ??= []).Add(graph);

    internal void RemoveResult(Graph graph) => _resultOf?.Remove(graph);

    internal void AddUse(Node node, int index) => _uses.Add(new Use(node, index));

    /// <summary>Forgets a use; the newest is found at once, which is what dead code needs.</summary>
    internal void RemoveUse(Node node, int index)
    {
        var use = new Use(node, index);
        if (_uses is [.., var newest] && newest == use)
            _uses.RemoveAt(_uses.Count - 1);
        else
            _uses.Remove(use);
    }

    /// <summary>Gives up all uses but those of some nodes, in one go.</summary>
    /// <returns>What was given up, in order.</returns>
    internal Use[] TakeUses(ReadOnlySpan<Node> except)
    {
        var (taken, kept) = (new List<Use>(_uses.Count), new List<Use>());
        foreach (var use in _uses)
            (except.Contains(use.Node) ? kept : taken).Add(use);
        _uses.Clear();
        _uses.AddRange(kept);
        return [.. taken];
    }
}

using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Building;

/// <summary>
/// Adds nodes to a graph one operator at a time and infers each result's type and shape at once. Equal small constants
/// are
/// shared. Not thread-safe.
/// </summary>
public sealed class GraphBuilder
{
    private readonly Dictionary<string, Value> _constants = new(StringComparer.Ordinal);

    /// <summary>Creates a builder.</summary>
    /// <param name="graph">The graph that receives the nodes.</param>
    /// <param name="shapes">Infers the results; keep one per graph, it remembers computed shapes.</param>
    public GraphBuilder(Graph graph, ShapeInference shapes)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(shapes);
        Graph = graph;
        Shapes = shapes;
    }

    /// <summary>Creates a builder for a model's graph, whose types and shapes it infers.</summary>
    /// <param name="model">The model.</param>
    /// <returns>The builder.</returns>
    public static GraphBuilder Over(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var shapes = new ShapeInference(model.Opset);
        shapes.Infer(model.Graph);
        return new GraphBuilder(model.Graph, shapes);
    }

    /// <summary>The graph that receives the nodes.</summary>
    public Graph Graph { get; }

    /// <summary>The shape inference for results.</summary>
    public ShapeInference Shapes { get; }

    /// <summary>Where new nodes go: before this node, or at the end when null (default).</summary>
    public Node? Before { get; set; }

    /// <summary>The prefix of new values' and nodes' names, such as <c>/h.0/attn</c>; empty by default.</summary>
    public string Scope { get; set; } = "";

    /// <summary>A value to write formulas with, whose nodes this builder adds.</summary>
    /// <param name="value">A value of the graph.</param>
    /// <returns>The term.</returns>
    public Term Term(Value value) => new(this, value);

    /// <summary>Applies an operator with one output.</summary>
    /// <param name="opType">The operator of the standard domain.</param>
    /// <param name="inputs">What it reads; null leaves an optional input out.</param>
    /// <returns>The result.</returns>
    public Value Op(string opType, params ReadOnlySpan<Value?> inputs) => Ops(opType, 1, inputs, [])[0];

    /// <summary>Applies an operator with one output and attributes.</summary>
    /// <param name="opType">The operator of the standard domain.</param>
    /// <param name="inputs">What it reads; null leaves an optional input out.</param>
    /// <param name="attributes">Its constants.</param>
    /// <returns>The result.</returns>
    public Value Op(string opType, ReadOnlySpan<Value?> inputs, params ReadOnlySpan<NodeAttribute> attributes) =>
        Ops(opType, 1, inputs, attributes)[0];

    /// <summary>Applies an operator with any number of outputs, of any domain.</summary>
    /// <param name="opType">The operator.</param>
    /// <param name="outputs">How many outputs.</param>
    /// <param name="inputs">What it reads; null leaves an optional input out.</param>
    /// <param name="attributes">Its constants.</param>
    /// <param name="domain">The operator's domain; empty for the standard.</param>
    /// <returns>The results, in order.</returns>
    public IReadOnlyList<Value> Ops(
        string opType,
        int outputs,
        ReadOnlySpan<Value?> inputs,
        ReadOnlySpan<NodeAttribute> attributes,
        string domain = "")
    {
        var name = Graph.FreshName(Scoped(opType));
        var names = Enumerable.Range(0, outputs).Select(i => i == 0 ? name : Graph.FreshName($"{name}:{i}"));
        var node = Graph.AddNode(opType, [.. inputs], names.ToArray(), [.. attributes], domain, name, Before);
        Shapes.Infer(node);
        return node.Outputs;
    }

    /// <summary>A constant under a name of its own.</summary>
    /// <param name="content">Its content.</param>
    /// <param name="hint">What the name should look like.</param>
    /// <returns>The constant.</returns>
    public Value Constant(Tensor content, string hint = "constant") =>
        Graph.AddInitializer(Graph.FreshName(Scoped(hint)), content);

    /// <summary>An int64 vector, shared with equal ones.</summary>
    /// <param name="values">The elements.</param>
    /// <returns>The constant, <c>[n] int64</c>.</returns>
    public Value Int64(params ReadOnlySpan<long> values) =>
        Shared(Tensor.Vector(values), string.Join("_", values.ToArray()));

    /// <summary>An int64 scalar, shared with equal ones.</summary>
    /// <param name="value">The element.</param>
    /// <returns>The constant, <c>[] int64</c>.</returns>
    public Value Int64Scalar(long value) => Shared(Tensor.Scalar(value), $"scalar_{value}");

    /// <summary>A number in a given element type, shared with equal ones.</summary>
    /// <param name="type">A floating-point or integer type.</param>
    /// <param name="value">The number; rounded to the type.</param>
    /// <returns>The constant, without axes.</returns>
    public Value Scalar(ElementType type, double value) => Shared(ScalarTensor(type, value), $"{type}_{value:R}");

    /// <summary>A number in the element type of another value, shared with equal ones.</summary>
    /// <param name="like">Whose type to take.</param>
    /// <param name="value">The number; rounded to the type.</param>
    /// <returns>The constant, without axes.</returns>
    public Value ScalarLike(Value like, double value)
    {
        ArgumentNullException.ThrowIfNull(like);
        if (like.Type is ElementType.Undefined or ElementType.String)
        {
            var maker = like.Producer is { } node ? $"{node} makes" : $"Graph '{Graph.Name}' has";
            throw new UnsupportedOpException(
                $"{maker} '{like.Name}' of type {like.Type}, with which OrtPeft cannot compute; export the model again.");
        }

        return Scalar(like.Type, value);
    }

    private static Tensor ScalarTensor(ElementType type, double value) => type switch
    {
        ElementType.Float => Tensor.Scalar((float)value),
        ElementType.Double => Tensor.Scalar(value),
        ElementType.Float16 => Tensor.Scalar((Half)value),
        ElementType.Int64 => Tensor.Scalar((long)value),
        ElementType.Int32 => Tensor.Scalar((int)value),
        ElementType.UInt32 => Tensor.Scalar((uint)value),
        ElementType.UInt64 => Tensor.Scalar((ulong)value),
        ElementType.Bool => Tensor.Scalar(value != 0),
        _ => throw new UnsupportedOpException($"OrtPeft has no constants of type {type}; export the model again."),
    };

    private string Scoped(string name) => Scope.Length == 0 ? name : $"{Scope}/{name}";

    private Value Shared(Tensor tensor, string text)
    {
        var key = FormattableString.Invariant(
            $"{tensor.Type}{tensor.Shape}{Convert.ToHexString(tensor.Data.Slice(0, (int)tensor.Data.Length))}");
        if (_constants.TryGetValue(key, out var known) && known.Graph == Graph)
            return known;
        return _constants[key] = Graph.AddInitializer(Graph.FreshName($"const/{text}"), tensor);
    }
}

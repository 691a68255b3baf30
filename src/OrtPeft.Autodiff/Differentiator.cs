using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff;

/// <summary>
/// Walks a graph backwards from the loss and adds the nodes of its gradient. Only nodes on a path from a wanted value
/// to a seed are differentiated. What all rules share happens here, once: accumulation, the sum over broadcast axes,
/// and the checks of arity, type and shape. Not thread-safe.
/// </summary>
public sealed class Differentiator
{
    private readonly GraphBuilder _builder;
    private readonly GradientTable _table;
    private readonly SortedDictionary<string, long> _opsets;
    private readonly Unbroadcast _unbroadcast;
    private readonly Dictionary<Value, Value> _gradients = [];

    /// <summary>Creates a differentiator.</summary>
    /// <param name="model">The model whose graph receives the gradient; types and shapes have been inferred.</param>
    /// <param name="builder">Adds nodes to that graph.</param>
    /// <param name="table">The rules; <see cref="GradientTable.Default"/> when left out.</param>
    public Differentiator(Model model, GraphBuilder builder, GradientTable? table = null)
        : this((model ?? throw new ArgumentNullException(nameof(model))).Opsets, builder, table ?? GradientTable.Default)
    {
    }

    private Differentiator(SortedDictionary<string, long> opsets, GraphBuilder builder, GradientTable table)
    {
        ArgumentNullException.ThrowIfNull(builder);
        _builder = builder;
        _table = table;
        _opsets = opsets;
        _unbroadcast = new Unbroadcast(builder);
    }

    /// <summary>Adds the gradient's nodes and returns the gradients at the wanted values.</summary>
    /// <param name="seeds">Where the gradient starts; several at one value add up.</param>
    /// <param name="wanted">The values to differentiate with respect to, such as trainable parameters.</param>
    /// <param name="detached">Values that count as constants, as PyTorch's <c>detach</c>; none when left out.</param>
    /// <returns>One gradient per wanted value, in order; zeros where the loss does not depend on it.</returns>
    /// <exception cref="UnsupportedOpException">A node on the way has no rule; the message names it.</exception>
    /// <exception cref="ArgumentException">A wanted value is constant.</exception>
    public IReadOnlyList<Value> Differentiate(
        IReadOnlyList<Seed> seeds, IReadOnlyList<Value> wanted, IReadOnlyList<Value>? detached = null)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        ArgumentNullException.ThrowIfNull(wanted);
        if (wanted.FirstOrDefault(static w => w.Constant is not null) is { } constant)
            throw new ArgumentException($"'{constant.Name}' is constant; turn it into an input first.", nameof(wanted));
        var path = DifferentiablePath.Between(wanted, seeds.Select(static s => s.Value), detached);
        if (path.Cut is { } cut)
            throw Cut(cut);
        foreach (var node in _builder.Graph.Nodes.Where(path.Nodes.Contains))
            RuleFor(node, path);
        _gradients.Clear();
        foreach (var seed in seeds)
            Accumulate(seed.Value, seed.Gradient);
        foreach (var node in _builder.Graph.Nodes.Where(path.Nodes.Contains).Reverse().ToArray())
            NodeBlame.On(node, OpsetOf(node), () => Differentiate(node, path));
        return [.. wanted.Select(w => _gradients.GetValueOrDefault(w) ?? _builder.ZerosLike(w))];
    }

    private void Differentiate(Node node, DifferentiablePath path)
    {
        var upstream = node.Outputs.Select(o => _gradients.GetValueOrDefault(o)).ToArray();
        if (upstream.All(static u => u is null))
            return;
        _builder.Scope = $"/gradient{Scope(node)}";
        var context = new RuleContext(node, upstream, _builder)
        {
            Wanted = path.Values,
            Inside = (body, seeds, wanted) => new Differentiator(_opsets, body, _table).Differentiate(seeds, wanted),
        };
        var gradients = RuleFor(node, path)(context);
        if (gradients.Count != node.Inputs.Count)
            throw new UnsupportedOpException(
                $"{node}: the rule returned {gradients.Count} gradients, the node has {node.Inputs.Count} inputs.");
        if (context.Unread >= 0 && gradients.Any(static g => g is not null))
            throw new UnsupportedOpException(
                $"{node}: the loss depends on output {context.Unread}, whose gradient its rule does not handle.");
        foreach (var (value, gradient) in context.OfCaptured)
            Accumulate(value, gradient);
        foreach (var (index, input) in node.Inputs.Index())
        {
            if (input is null || !path.Values.Contains(input) || !path.IsRead(node, index))
                continue;
            Accumulate(input, gradients[index] ?? throw new UnsupportedOpException(
                $"{node}: the loss depends on a trainable parameter through input {index} ('{input.Name}'), whose " +
                "gradient is not known; choose targets after it, or export the model without it."));
        }
    }

    private UnsupportedOpException Cut(Node node) => new(
        $"{node} (opset {OpsetOf(node)}) makes whole numbers between a trainable parameter " +
        "and the loss, and no gradient passes them; choose targets after it, or export the model without it. Of " +
        "quantised activations, QuantizeLinear with DequantizeLinear train, and Round between a scale and its inverse.");

    private GradientRule RuleFor(Node node, DifferentiablePath path)
    {
        var opset = OpsetOf(node);
        if (node.Subgraphs.Any() && _table.Find(node, opset) is null)
            throw new UnsupportedOpException(ControlFlow.NoGradient(node, opset));
        if (path.Quantisers.Clipped(node) is >= 0 and var clipped)
            return c => Rules.Quantization.Clipped(c, clipped);
        return _table.Find(node, opset) ?? throw new UnsupportedOpException(
            $"{node} (opset {opset}) lies between a trainable parameter and the loss, and OrtPeft knows no gradient " +
            $"for {node.OpType}; choose targets after it, or add a row to the gradient table.");
    }

    private int OpsetOf(Node node) => (int)_opsets.GetValueOrDefault(node.Domain, 1);

    private void Accumulate(Value value, Value gradient)
    {
        if (gradient.Type != value.Type && gradient.Type != ElementType.Undefined && value.Type.IsFloating())
            throw new UnsupportedOpException(
                $"The gradient '{gradient.Name}' of '{value.Name}' is {gradient.Type}, not {value.Type}.");
        var fitting = _unbroadcast.To(value, gradient);
        _gradients[value] = _gradients.TryGetValue(value, out var sum) ? _builder.Add(sum, fitting) : fitting;
    }

    private static string Scope(Node node) =>
        node.Name.Length == 0 ? "" : node.Name[0] == '/' ? node.Name : $"/{node.Name}";
}

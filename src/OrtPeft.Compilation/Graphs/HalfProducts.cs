using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Quantization;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Graphs;

/// <summary>
/// Stores frozen matrices in half precision, and rounds what meets them in a product: as under PyTorch's autocast, but that
/// sums, norms, attention, softmax, the loss and all that trains stay float32.
/// </summary>
internal sealed class HalfProducts
{
    private readonly GraphBuilder _g;
    private readonly ElementType _type;
    private readonly bool _rounds;
    private readonly Dictionary<Value, Value?> _weights = [];
    private readonly Dictionary<Value, Value> _halves = [];

    private HalfProducts(GraphBuilder g, ElementType type, bool rounds) => (_g, _type, _rounds) = (g, type, rounds);

    /// <summary>Rewrites a graph.</summary>
    /// <param name="compiled">A training or an evaluation graph without kernels that multiply; edited in place.</param>
    /// <param name="type">float16 or bfloat16.</param>
    /// <param name="rounds">Whether products are float32's of rounded numbers, and rounded themselves, as where sums are
    /// float32's: for providers without kernels of the type.</param>
    /// <returns>The graph. A matrix with a number beyond the type's stays float32, and so do its products.</returns>
    public static CompiledGraph Of(CompiledGraph compiled, ElementType type, bool rounds)
    {
        ArgumentNullException.ThrowIfNull(compiled);
        var half = new HalfProducts(GraphBuilder.Over(compiled.Model), type, rounds);
        foreach (var node in compiled.Graph.Nodes.Where(half.IsFrozenProduct).ToArray())
            half.Replace(node);
        half.ReplaceLookups();
        compiled.Graph.RemoveDeadCode();
        compiled.Graph.SortTopologically();
        return compiled;
    }

    private bool IsFrozenProduct(Node node) =>
        (node.Is("MatMul") || node.Is("Gemm")) && node.Output.Type == ElementType.Float
        && IsFrozen(node.Inputs[0]!) != IsFrozen(node.Inputs[1]!);

    private bool IsFrozen(Value value) =>
        value is { Type: ElementType.Float, Shape.Rank: >= 2 }
        && (WeightOf(value) is not null || QuantizedWeight.Find(value) is not null
            || (value.Producer is { } node && node.Is("Transpose") && QuantizedWeight.Find(node.Inputs[0]!) is not null));

    /// <summary>
    /// A constant, as it is or transposed, in half precision; null where the value is none, or has numbers that are too large.
    /// No node may compute with such a constant alone: ONNX Runtime would do so once and for all, with what is in the file
    /// that stands in for it.
    /// </summary>
    private Value? WeightOf(Value value)
    {
        if (_weights.TryGetValue(value, out var known))
            return known;
        var isTransposed = value.Producer is { } node && node.Is("Transpose") && value.Shape?.Rank == 2;
        var source = isTransposed ? value.Producer!.Inputs[0]! : value;
        var stored = source is { IsGraphInput: false, Initializer: { } content }
            ? HalfTensor.Of(content, _type, isTransposed, _rounds)
            : null;
        var name = _g.Graph.FreshName($"{value.Name}/{_type}");
        return _weights[value] = stored is null ? null : _g.Graph.AddInitializer(name, stored);
    }

    private void Replace(Node node)
    {
        (_g.Before, _g.Scope) = (node, node.Name);
        var attributes = node.Attributes.Where(static a => a.Name != "beta").ToArray();
        var product = _g.Op(node.OpType, [Half(node.Inputs[0]!), Half(node.Inputs[1]!)], attributes);
        var sum = _g.Term(_g.Cast(_rounds ? _g.Cast(product, _type) : product, ElementType.Float));
        if (node.Input(2) is { } addend)
            sum += node.Attributes.Float("beta", 1) is var beta && beta == 1 ? addend : _g.Mul(addend, beta);
        Replacement.Put(_g, node, [sum]);
    }

    private Value Half(Value value)
    {
        if (WeightOf(value) is { } weight)
            return weight;
        if (_halves.TryGetValue(value, out var known))
            return known;
        var half = _g.Cast(value, _type);
        return _halves[value] = _rounds ? _g.Cast(half, ElementType.Float) : half;
    }

    /// <summary>Rows that are looked up in a head come from the copy of its products, so that a device need not hold both.</summary>
    private void ReplaceLookups()
    {
        foreach (var (value, half) in _weights)
        {
            var lookups = half is null ? [] : value.Uses.Where(static u => u.Node.Is("Gather") && u.Index == 0).ToArray();
            foreach (var (node, _) in lookups.Where(u => u.Node.Graph == _g.Graph))
            {
                (_g.Before, _g.Scope) = (node, node.Name);
                var rows = _g.Op("Gather", [half, node.Inputs[1]], [.. node.Attributes]);
                Replacement.Put(_g, node, [_g.Cast(rows, ElementType.Float)]);
            }
        }
    }
}

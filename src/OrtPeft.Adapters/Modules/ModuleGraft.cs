using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Edits around one linear layer: new nodes go beside it, and what reads it reads their result instead. Operands are
/// seen as rows [n, features], whatever their axes in the graph.
/// </summary>
internal sealed class ModuleGraft
{
    private readonly GraphBuilder _builder;
    private readonly LinearModule _module;

    /// <summary>Starts editing.</summary>
    /// <param name="builder">Adds the nodes.</param>
    /// <param name="module">The layer.</param>
    /// <param name="scope">What the new nodes' names start with, such as <c>/lora</c>.</param>
    public ModuleGraft(GraphBuilder builder, LinearModule module, string scope)
    {
        _builder = builder;
        _module = module;
        builder.Scope = $"{scope}/{module.Name}";
    }

    /// <summary>What the layer reads, [n, in].</summary>
    public Value Input()
    {
        _builder.Before = FirstReader(_module.Node.Output);
        return Rows(_module.Node.Inputs[0]!, _module.InFeatures);
    }

    /// <summary>
    /// Replaces the product x·W (with the bias where <c>Gemm</c> adds it): for what is added to it, which may come
    /// before or after the bias.
    /// </summary>
    /// <param name="change">From the rows [n, out] to rows [n, out].</param>
    public void ReplaceProduct(Func<Value, Value> change) => Replace(_module.Node.Output, change);

    /// <summary>Replaces what the layer makes, its bias added.</summary>
    /// <param name="change">From the rows [n, out] to rows [n, out].</param>
    public void ReplaceResult(Func<Value, Value> change) =>
        Replace(_module.BiasAdd is { } add ? add.Output : _module.Node.Output, change);

    /// <summary>Replaces the sum that the layer's result goes into, such as the residual connection's.</summary>
    /// <param name="sum">The <c>Add</c>.</param>
    /// <param name="change">From the rows [n, out] to rows [n, out].</param>
    public void ReplaceSum(Node sum, Func<Value, Value> change) => Replace(sum.Output, change);

    /// <summary>Another value with the layer's output features as rows, [n, out].</summary>
    public Value RowsOf(Value value) => Rows(value, _module.OutFeatures);

    /// <summary>Replaces what the layer reads; other readers of the same value keep it.</summary>
    /// <param name="change">From the rows [n, in] to rows [n, in].</param>
    public void ReplaceInput(Func<Value, Value> change)
    {
        var x = _module.Node.Inputs[0]!;
        _builder.Before = _module.Node;
        var changed = change(Rows(x, _module.InFeatures));
        _module.Node.SetInput(0, x.Shape?.Rank == 2 ? changed : _builder.ReshapeLike(changed, x));
        _builder.Before = null;
    }

    private void Replace(Value made, Func<Value, Value> change)
    {
        _builder.Before = FirstReader(made);
        var changed = change(Rows(made, _module.OutFeatures));
        ReplaceReaders(made, made.Shape?.Rank == 2 ? changed : _builder.ReshapeLike(changed, made));
        _builder.Before = null;
    }

    /// <summary>Every reader of a value reads another one, but for the graft's own nodes.</summary>
    private void ReplaceReaders(Value made, Value changed)
    {
        var graph = _builder.Graph;
        var own = made.Uses.Select(static u => u.Node)
            .Where(n => n.Name.StartsWith(_builder.Scope + "/", StringComparison.Ordinal)).ToArray();
        (changed.Type, changed.Shape) = (made.Type, made.Shape);
        var isOutput = made.IsGraphOutput;
        graph.ReplaceAllUsesWith(made, changed, own);
        if (!isOutput)
            return;
        var name = made.Name; // the model's outputs keep their names
        graph.Rename(made, graph.FreshName($"{name}_base"));
        graph.Rename(changed, name);
    }

    private Node? FirstReader(Value value)
    {
        var readers = value.Uses.Select(static u => u.Node).ToHashSet();
        return _builder.Graph.Nodes.FirstOrDefault(readers.Contains);
    }

    private Value Rows(Value value, long features) =>
        value.Shape?.Rank == 2 ? value : _builder.Reshape(value, -1, features);
}

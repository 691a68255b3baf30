using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Modules;

/// <summary>
/// Edits around one linear layer or embedding: new nodes go beside it, and what reads it reads their result instead.
/// Operands are seen as rows [n, features], whatever their axes in the graph.
/// </summary>
internal sealed class ModuleGraft
{
    private readonly GraphBuilder _builder;
    private readonly Node _node;
    private readonly Node? _biasAdd;
    private readonly int _inputIndex;
    private readonly long _inFeatures;
    private readonly long _outFeatures;

    /// <summary>Starts editing.</summary>
    /// <param name="builder">Adds the nodes.</param>
    /// <param name="module">The layer.</param>
    /// <param name="scope">What the new nodes' names start with, such as <c>/lora</c>.</param>
    public ModuleGraft(GraphBuilder builder, LinearModule module, string scope)
        : this(builder, $"{scope}/{module.Name}", module.Node, 0, module.InFeatures, module.OutFeatures)
    {
        _biasAdd = module.BiasAdd;
    }

    /// <summary>Starts editing around an embedding, which reads rows of one index.</summary>
    /// <param name="builder">Adds the nodes.</param>
    /// <param name="module">The embedding.</param>
    /// <param name="scope">What the new nodes' names start with, such as <c>/lora</c>.</param>
    public ModuleGraft(GraphBuilder builder, EmbeddingModule module, string scope)
        : this(builder, $"{scope}/{module.Name}", module.Node, 1, 1, module.Features)
    {
    }

    private ModuleGraft(GraphBuilder builder, string scope, Node node, int input, long inFeatures, long outFeatures)
    {
        _builder = builder;
        _node = node;
        (_inputIndex, _inFeatures, _outFeatures) = (input, inFeatures, outFeatures);
        builder.Scope = scope;
    }

    /// <summary>The layer's input as rows, [n, in].</summary>
    public Value Input()
    {
        _builder.Before = _builder.Graph.FirstReader(_node.Output);
        return Rows(_node.Inputs[_inputIndex]!, _inFeatures);
    }

    /// <summary>
    /// Replaces the product x·W (with the bias where <c>Gemm</c> adds it): for what is added to it, which may come
    /// before or after the bias.
    /// </summary>
    /// <param name="change">From the rows [n, out] to rows [n, out].</param>
    public void ReplaceProduct(Func<Value, Value> change) => Replace(_node.Output, change);

    /// <summary>Replaces what the layer makes, its bias added.</summary>
    /// <param name="change">From the rows [n, out] to rows [n, out].</param>
    public void ReplaceResult(Func<Value, Value> change) =>
        Replace(_biasAdd is { } add ? add.Output : _node.Output, change);

    /// <summary>Replaces the sum that the layer's result goes into, such as the residual connection's.</summary>
    /// <param name="sum">The <c>Add</c>.</param>
    /// <param name="change">From the rows [n, out] to rows [n, out].</param>
    public void ReplaceSum(Node sum, Func<Value, Value> change) => Replace(sum.Output, change);

    /// <summary>Another value with the layer's output features as rows, [n, out].</summary>
    public Value RowsOf(Value value) => Rows(value, _outFeatures);

    /// <summary>Replaces what the layer reads; other readers of the same value keep it.</summary>
    /// <param name="change">From the rows [n, in] to rows [n, in].</param>
    public void ReplaceInput(Func<Value, Value> change)
    {
        var x = _node.Inputs[_inputIndex]!;
        _builder.Before = _node;
        var changed = change(Rows(x, _inFeatures));
        _node.SetInput(_inputIndex, x.Shape?.Rank == 2 ? changed : _builder.ReshapeLike(changed, x));
        _builder.Before = null;
    }

    private void Replace(Value made, Func<Value, Value> change)
    {
        _builder.Before = _builder.Graph.FirstReader(made);
        var changed = change(Rows(made, _outFeatures));
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

    private Value Rows(Value value, long features) =>
        value.Shape?.Rank == 2 ? value : _builder.Reshape(value, -1, features);
}

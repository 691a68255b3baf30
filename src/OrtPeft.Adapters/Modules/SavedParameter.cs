using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Tensors;
using OrtPeft.Tensors.Numerics;

namespace OrtPeft.Adapters.Modules;

/// <summary>One parameter of a module that trains as a whole.</summary>
/// <param name="Module">The module's path in the source model.</param>
/// <param name="Kind"><c>weight</c> or <c>bias</c>.</param>
/// <param name="Value">The initializer in the graph.</param>
/// <param name="Reader">The node through which the module reads it.</param>
/// <param name="Index">Which of the node's inputs it is.</param>
internal sealed record SavedParameter(string Module, string Kind, Value Value, Node Reader, int Index)
{
    /// <summary>The parameter's name in the source model.</summary>
    public string Name => $"{Module}.{Kind}";

    /// <summary>
    /// Whether the source model keeps the weight as the transpose of what stands in the graph: PyTorch's Linear, whose
    /// exporters transpose it and lose its name. GPT-2's Conv1D is [in, out] in both.
    /// </summary>
    public bool IsTransposed { get; private init; }

    /// <summary>
    /// Whether the graph has 1 + weight where the source model has the weight: Gemma's normalisations, whose sum exporters
    /// fold.
    /// </summary>
    public bool IsPlusOne { get; private init; }

    public static SavedParameter Of(EmbeddingModule module) =>
        new(module.Name, "weight", module.Weight, module.Reader, 0) { IsTransposed = module.IsTransposed };

    public static SavedParameter Of(VectorParameter vector)
    {
        var use = vector.Value.Uses[0];
        return new SavedParameter(vector.Module, vector.Kind, vector.Value, use.Node, use.Index)
        {
            IsPlusOne = vector.IsPlusOne,
        };
    }

    public static IEnumerable<SavedParameter> Of(LinearModule module)
    {
        var reader = module.Node.Inputs[1] == module.Weight ? module.Node : module.Node.Inputs[1]!.Producer!;
        yield return new SavedParameter(module.Name, "weight", module.Weight, reader, reader == module.Node ? 1 : 0)
        {
            IsTransposed = !module.IsOutByIn && !module.IsConv1D,
        };
        if (module.Bias is not { } bias)
            yield break;
        var adder = module.BiasAdd ?? module.Node;
        var index = adder.Inputs.Index().First(i => i.Item == bias).Index;
        yield return new SavedParameter(module.Name, "bias", bias, adder, index);
    }

    /// <summary>The parameter as one that only the module reads, in the source model's layout.</summary>
    public Value Own(GraphBuilder g)
    {
        if (!IsTransposed && !IsPlusOne && Value.Uses.Count == 1)
            return Value;
        var own = g.Graph.AddInitializer(g.Graph.FreshName($"{Name}/own"), FirstContent());
        g.Before = Reader;
        Reader.SetInput(Index, IsTransposed ? g.Transpose(own, 1, 0) : IsPlusOne ? g.Add(own, 1) : own);
        g.Before = null;
        return own;
    }

    /// <summary>The graph's weight, in the source model's layout.</summary>
    public Tensor Content() => IsTransposed ? Transposing.Of(Value.Initializer!)
        : IsPlusOne ? Plus(Value.Initializer!, -1)
        : Value.Initializer!;

    /// <summary>The same, transposed when it is first read.</summary>
    private Tensor FirstContent()
    {
        var stored = Value.Initializer!;
        return IsTransposed
            ? InitialWeights.Promised(() => Transposing.Of(stored), stored.Dims[1], stored.Dims[0])
            : Content();
    }

    /// <summary>Gives every reader of the weight another content.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="content">In the source model's layout.</param>
    public void Replace(Graph graph, Tensor content) =>
        graph.SetInitializer(Value, InGraph(content));

    /// <summary>From the source model's layout to the graph's.</summary>
    private Tensor InGraph(Tensor content) =>
        IsTransposed ? Transposing.Of(content) : IsPlusOne ? Plus(content, 1) : content;

    private static Tensor Plus(Tensor vector, float summand) =>
        Tensor.Vector<float>([.. vector.ToFloat32().Select(x => x + summand)]);

    /// <summary>
    /// Gives the module trained content. Other readers of a shared weight, a tied head, keep theirs under the head's
    /// name.
    /// </summary>
    public void Fold(Graph graph, Tensor trained)
    {
        var content = InGraph(trained);
        if (Value.Uses.Count == 1)
        {
            graph.SetInitializer(Value, content);
            return;
        }

        if (Value.Name == Name)
            graph.Rename(Value, graph.FreshName($"{ModuleNames.TiedHead}.weight"));
        Reader.SetInput(Index, graph.AddInitializer(graph.FreshName(Name), content));
    }
}

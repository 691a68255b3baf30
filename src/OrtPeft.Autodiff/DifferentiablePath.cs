using OrtPeft.Onnx;

namespace OrtPeft.Autodiff;

/// <summary>The nodes and values between trainable parameters and the loss, along floating-point values only.</summary>
public sealed class DifferentiablePath
{
    private DifferentiablePath(HashSet<Node> nodes, HashSet<Value> values)
    {
        Nodes = nodes;
        Values = values;
    }

    /// <summary>The nodes to differentiate.</summary>
    public IReadOnlySet<Node> Nodes { get; }

    /// <summary>The values that need a gradient.</summary>
    public IReadOnlySet<Value> Values { get; }

    /// <summary>Finds the path. A node with subgraphs also reads what its subgraphs read.</summary>
    /// <param name="sources">The values to differentiate with respect to.</param>
    /// <param name="targets">The values that the loss is computed from, of the same graph.</param>
    /// <param name="detached">Values that count as constants; none when left out.</param>
    /// <returns>What lies between, both ends included.</returns>
    public static DifferentiablePath Between(
        IEnumerable<Value> sources, IEnumerable<Value> targets, IEnumerable<Value>? detached = null)
    {
        var cut = detached?.ToHashSet() ?? [];
        var values = sources.Where(CarriesGradient).ToHashSet();
        var needed = targets.Where(CarriesGradient).ToHashSet();
        var all = needed.FirstOrDefault()?.Graph?.Nodes ?? [];
        foreach (var node in all.Where(n => Reads(n).Any(values.Contains)))
            values.UnionWith(node.Outputs.Where(o => CarriesGradient(o) && !cut.Contains(o)));
        foreach (var node in all.Reverse().Where(n => n.Outputs.Any(needed.Contains)))
            needed.UnionWith(Reads(node).Where(CarriesGradient));
        values.IntersectWith(needed);
        var nodes = all.Where(n => n.Outputs.Any(values.Contains) && Reads(n).Any(values.Contains));
        return new DifferentiablePath([.. nodes], values);
    }

    private static bool CarriesGradient(Value value) => value.Type == ElementType.Undefined || value.Type.IsFloating();

    private static IEnumerable<Value> Reads(Node node) =>
        node.Inputs.OfType<Value>().Concat(node.Subgraphs.SelectMany(Reads));

    private static IEnumerable<Value> Reads(Graph subgraph) =>
        subgraph.Nodes.SelectMany(Reads).Concat(subgraph.Outputs);
}

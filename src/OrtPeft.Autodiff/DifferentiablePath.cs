using OrtPeft.Autodiff.Quantization;
using OrtPeft.Onnx;

namespace OrtPeft.Autodiff;

/// <summary>
/// The nodes and values between trainable parameters and the loss, along floating-point values and the integers of
/// quantisers.
/// </summary>
internal sealed class DifferentiablePath
{
    private DifferentiablePath(StraightThrough quantisers) => Quantisers = quantisers;

    /// <summary>The nodes to differentiate.</summary>
    public required IReadOnlySet<Node> Nodes { get; init; }

    /// <summary>The values that need a gradient.</summary>
    public required IReadOnlySet<Value> Values { get; init; }

    /// <summary>
    /// The first node that makes whole numbers out of what trains, out of which the loss is computed though no gradient
    /// passes them; null where there is none. Masks, indices and shapes only select and are none.
    /// </summary>
    public required Node? Cut { get; init; }

    /// <summary>How the graph's quantisers let gradients pass.</summary>
    internal StraightThrough Quantisers { get; }

    /// <summary>Finds the path. A node with subgraphs also reads what its subgraphs read.</summary>
    /// <param name="sources">The values to differentiate with respect to.</param>
    /// <param name="targets">The values that the loss is computed from, of the same graph.</param>
    /// <param name="detached">Values that count as constants; none when left out.</param>
    /// <returns>What lies between, both ends included.</returns>
    public static DifferentiablePath Between(
        IEnumerable<Value> sources, IEnumerable<Value> targets, IEnumerable<Value>? detached = null)
    {
        var ends = targets.ToArray();
        var detachedValues = detached?.ToHashSet() ?? [];
        IReadOnlyList<Node> all = ends.FirstOrDefault()?.Graph?.Nodes.ToArray() ?? [];
        var quantisers = StraightThrough.Of(all);
        var reached = sources.Where(quantisers.Carries).ToHashSet();
        var needed = ends.Where(quantisers.Carries).ToHashSet();
        foreach (var node in all.Where(n => !quantisers.Stops(n) && Reads(n, quantisers).Any(reached.Contains)))
            reached.UnionWith(node.Outputs.Where(o => quantisers.Carries(o) && !detachedValues.Contains(o)));
        foreach (var node in all.Reverse().Where(n => !quantisers.Stops(n) && n.Outputs.Any(needed.Contains)))
            needed.UnionWith(Reads(node, quantisers).Where(quantisers.Carries));
        var values = reached.Where(needed.Contains).ToHashSet();
        var nodes = all.Where(n => !quantisers.Stops(n) && n.Outputs.Any(values.Contains)
            && Reads(n, quantisers).Any(values.Contains));
        return new DifferentiablePath(quantisers)
        {
            Nodes = nodes.ToHashSet(),
            Values = values,
            Cut = GradientCut.Find(all, n => Reads(n, quantisers), reached, detachedValues, ends),
        };
    }

    /// <summary>Whether a node computes numbers from an input: it neither only selects nor counts as constant.</summary>
    internal bool IsRead(Node node, int index) => IsRead(node, index, Quantisers);

    private static bool IsRead(Node node, int index, StraightThrough quantisers) =>
        !quantisers.IsConstant(node, index) && !Selection.Is(node, index);

    /// <summary>The values from which a node computes numbers, without those that only select and those that count as
    /// constant.</summary>
    private static IEnumerable<Value> Reads(Node node, StraightThrough quantisers) =>
        node.Inputs.Where((_, i) => IsRead(node, i, quantisers)).OfType<Value>()
            .Concat(node.Subgraphs.SelectMany(Reads));

    private static IEnumerable<Value> Reads(Graph subgraph) =>
        subgraph.Nodes.SelectMany(static n => n.Inputs.OfType<Value>().Concat(n.Subgraphs.SelectMany(Reads)))
            .Concat(subgraph.Outputs);
}

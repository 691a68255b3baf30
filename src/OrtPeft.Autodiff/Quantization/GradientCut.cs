using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Autodiff.Quantization;

/// <summary>
/// Finds what would make a gradient zero or partial without a word: a node that turns numbers which depend on what trains
/// into whole numbers, out of which the loss is computed. Truth values are masks, and what only selects is none of it.
/// </summary>
internal static class GradientCut
{
    /// <summary>Looks for a cut.</summary>
    /// <param name="nodes">The graph's nodes, in order.</param>
    /// <param name="reads">What a node computes numbers from.</param>
    /// <param name="reached">The values that a gradient is passed back from.</param>
    /// <param name="detached">Values that count as constants.</param>
    /// <param name="targets">The values that the loss is computed from.</param>
    /// <returns>The first node whose result reaches the loss and not its gradient, or null.</returns>
    public static Node? Find(
        IEnumerable<Node> nodes,
        Func<Node, IEnumerable<Value>> reads,
        IReadOnlySet<Value> reached,
        IReadOnlySet<Value> detached,
        IEnumerable<Value> targets)
    {
        var origins = new Dictionary<Value, Node>();
        foreach (var node in nodes)
        {
            var read = reads(node).ToArray();
            var origin = read.Select(origins.GetValueOrDefault).FirstOrDefault(static o => o is not null);
            var stops = read.Any(reached.Contains);
            foreach (var output in node.Outputs.Where(o => o.Type != ElementType.Bool && !detached.Contains(o)))
            {
                if (origin is not null || (stops && !reached.Contains(output)))
                    origins[output] = origin ?? node;
            }
        }

        return targets.Select(origins.GetValueOrDefault).FirstOrDefault(static o => o is not null);
    }
}

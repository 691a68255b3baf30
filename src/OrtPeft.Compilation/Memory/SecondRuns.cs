using OrtPeft.Onnx;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Memory;

/// <summary>
/// The values that the gradient computes again from others that it keeps anyway, so that nothing else has to be kept
/// for them.
/// </summary>
internal sealed class SecondRuns
{
    /// <summary>Products one after the other that are run again: as many as lead from the start of a transformer's block
    /// to its last one (a projection, attention, its output, the MLP's first), so that blocks are kept apart.</summary>
    private const int LongestChain = 4;

    private readonly HashSet<Value> _kept;
    private readonly Dictionary<Value, int> _chains = [];

    private SecondRuns(HashSet<Value> kept) => _kept = kept;

    /// <summary>The values, whether the gradient reads them or only what is computed from them.</summary>
    public HashSet<Value> Values { get; } = [];

    /// <summary>Chooses.</summary>
    /// <param name="part">The graph.</param>
    /// <param name="dearest">Nodes' highest cost, told by their place in the forward pass, from 0 to 1.</param>
    public static SecondRuns Of(GradientPart part, Func<double, Cost> dearest)
    {
        var read = part.Nodes.SelectMany(static n => n.Inputs).OfType<Value>().Where(v => !part.Contains(v));
        var runs = new SecondRuns([.. read.Select(Memory)]);
        foreach (var (index, node) in part.Forward.Index())
            runs.Decide(node, dearest((double)index / part.Forward.Count));
        return runs;
    }

    /// <summary>The value whose memory a value is.</summary>
    private static Value Memory(Value value)
    {
        while (Costs.IsView(value) && value.Producer!.Inputs[0] is { } source)
            value = source;
        return value;
    }

    private void Decide(Node node, Cost dearest)
    {
        var cost = Costs.Of(node);
        var inputs = node.Inputs.OfType<Value>().Where(static i => i.Initializer is null && !i.IsGraphInput).ToArray();
        var before = inputs.Select(i => _chains.GetValueOrDefault(i)).DefaultIfEmpty(0).Max();
        var chain = before + (cost == Cost.Product ? 1 : 0);
        if (cost > dearest || inputs.Length == 0 || chain > LongestChain || !inputs.All(IsThere)
            || !inputs.Any(static i => i.Type == ElementType.Float)
            || (cost == Cost.Nothing && !Values.Contains(node.Inputs[0]!))
            || node.Outputs.Any(static o => o.IsGraphOutput || o is { Name.Length: > 0, Type: not ElementType.Float }))
            return;
        foreach (var output in node.Outputs)
        {
            Values.Add(output);
            _chains[output] = chain;
        }
    }

    private bool IsThere(Value value) =>
        Values.Contains(value) || _kept.Contains(Memory(value)) || value.Type != ElementType.Float;
}

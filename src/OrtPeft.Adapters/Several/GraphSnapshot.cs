using OrtPeft.Onnx;

namespace OrtPeft.Adapters.Several;

/// <summary>The inputs of a graph's nodes, and the graph's results, at one moment.</summary>
internal sealed class GraphSnapshot
{
    private readonly Dictionary<Node, Value?[]> _inputs;
    private readonly Value[] _outputs;

    private GraphSnapshot(Graph graph)
    {
        _inputs = graph.Nodes.ToDictionary(static n => n, static n => n.Inputs.ToArray());
        _outputs = [.. graph.Outputs];
    }

    public static GraphSnapshot Of(Graph graph) => new(graph);

    /// <summary>Whether a node stood in the graph.</summary>
    public bool Has(Node node) => _inputs.ContainsKey(node);

    /// <summary>The values whose readers, the graph's results among them, now read others.</summary>
    public IReadOnlyList<(Value Before, Value Now)> Replaced(Graph graph)
    {
        var ofNodes = _inputs.SelectMany(static n => n.Value.Zip(n.Key.Inputs));
        var ofResults = _outputs.Zip(graph.Outputs, static (before, now) => ((Value?)before, (Value?)now));
        return [.. ofNodes.Concat(ofResults).Where(static e => e.Item1 != e.Item2)
            .Select(static e => (e.Item1!, e.Item2!)).Distinct()];
    }
}

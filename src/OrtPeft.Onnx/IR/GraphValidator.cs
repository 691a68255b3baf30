using System.Runtime.CompilerServices;

namespace OrtPeft.Onnx;

/// <summary>
/// Checks everything that a graph promises: unique names, links that agree both ways, execution order.
/// </summary>
public static class GraphValidator
{
    /// <summary>Checks a graph and its subgraphs. Costs one pass over nodes, values and uses.</summary>
    /// <param name="graph">The graph.</param>
    /// <exception cref="GraphException">A rule is broken; the message names the first place.</exception>
    public static void Check(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var uses = new HashSet<Use>();
        Check(graph, [], uses);
        foreach (var value in AllValues(graph))
        {
            foreach (var use in value.Uses)
            {
                var isRead = uses.Remove(use) && use.Node.Inputs[use.Index] == value;
                Require(isRead, graph, $"'{value.Name}' is not read by its reader {use.Node}");
            }

            if (value.ResultOf.Count > 0)
                CheckResults(graph, value);
        }

        if (graph.Parent is null && uses.Count > 0)
        {
            var (node, index) = uses.First();
            Require(false, graph, $"'{node.Inputs[index]?.Name}' does not know all its readers");
        }
    }

    private static void CheckResults(Graph graph, Value value)
    {
        foreach (var (of, count) in value.ResultOf.CountBy(static g => g))
        {
            var places = of.Outputs.Count(o => o == value);
            Require(count == places, graph, $"'{value.Name}' is a result of '{of.Name}' {places} times, not {count}");
        }
    }

    private static void Check(Graph graph, HashSet<Value> outer, HashSet<Use> uses)
    {
        var known = new HashSet<Value>(outer);
        foreach (var value in graph.Inputs)
            Require(value.IsGraphInput && known.Add(value), graph, $"input '{value.Name}' is listed twice");
        foreach (var value in graph.Initializers)
        {
            Require(value.Initializer is not null, graph, $"constant '{value.Name}' has no content");
            Require(known.Add(value) || value.IsGraphInput, graph, $"constant '{value.Name}' is listed twice");
        }

        foreach (var node in graph.Nodes)
            CheckNode(graph, node, known, uses);
        CheckValues(graph, known);
        foreach (var output in graph.Outputs)
        {
            Require(known.Contains(output), graph, $"nothing makes the result '{output.Name}'");
            Require(output.ResultOf.Contains(graph), graph, $"'{output.Name}' does not know that it is a result");
        }
    }

    private static void CheckNode(Graph graph, Node node, HashSet<Value> known, HashSet<Use> uses)
    {
        Require(node.Graph == graph, graph, $"{node} does not know its graph");
        for (var i = 0; i < node.Inputs.Count; i++)
        {
            if (node.Inputs[i] is not { } input)
                continue;
            Require(known.Contains(input), graph, $"{node} reads '{input.Name}', which nothing before it makes");
            Require(uses.Add(new Use(node, i)), graph, $"{node} is listed twice");
        }

        foreach (var subgraph in node.Subgraphs)
        {
            Require(subgraph.Parent == graph, graph, $"a subgraph of {node} does not know its surrounding graph");
            Check(subgraph, known, uses);
        }

        for (var i = 0; i < node.Outputs.Count; i++)
        {
            var output = node.Outputs[i];
            var knows = output.Producer == node && output.OutputIndex == i;
            Require(knows, graph, $"'{output.Name}' does not know {node}");
            Require(output.Name.Length == 0 || known.Add(output), graph, $"'{output.Name}' is made twice");
        }
    }

    private static void CheckValues(Graph graph, HashSet<Value> known)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var value in graph.Values)
        {
            Require(value.Graph == graph && known.Contains(value), graph, $"'{value.Name}' is made by nothing");
            Require(names.Add(value.Name), graph, $"two values are named '{value.Name}'");
            Require(graph.Find(value.Name) == value, graph, $"'{value.Name}' is registered under another name");
        }

        var registered = known.Count(v => v.Graph == graph);
        Require(registered == names.Count, graph, $"{registered} values, but {names.Count} registered names");
    }

    private static IEnumerable<Value> AllValues(Graph graph) =>
        graph.Values.Concat(graph.Nodes.SelectMany(static n => n.Subgraphs).SelectMany(AllValues));

    private static void Require(
        bool holds, Graph graph, [InterpolatedStringHandlerArgument(nameof(holds))] ref Otherwise otherwise)
    {
        if (!holds)
            throw new GraphException($"Graph '{graph.Name}' is broken: {otherwise.ToText()}.");
    }

    /// <summary>The words for a rule that is broken, put together only where it is.</summary>
    [InterpolatedStringHandler]
    private ref struct Otherwise
    {
        private DefaultInterpolatedStringHandler _text;

        public Otherwise(int literalLength, int formattedCount, bool holds, out bool isNeeded)
        {
            isNeeded = !holds;
            _text = holds ? default : new DefaultInterpolatedStringHandler(literalLength, formattedCount);
        }

        public void AppendLiteral(string value) => _text.AppendLiteral(value);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public string ToText() => _text.ToStringAndClear();
    }
}

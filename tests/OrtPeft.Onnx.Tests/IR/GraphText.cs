namespace OrtPeft.Onnx.Tests.IR;

/// <summary>All of a graph as text, links both ways included: equal text means nothing has changed.</summary>
internal static class GraphText
{
    public static string Of(Graph graph) => string.Join('\n',
        [
            .. graph.Inputs.Select(static i => $"input {Of(i)}"),
            .. graph.Initializers.Select(static i => $"constant {Of(i)}"),
            .. graph.Nodes.Select(Of),
            .. graph.Outputs.Select(static o => $"output {Of(o)}"),
            .. graph.Values.Select(static v => v.Name).Order(StringComparer.Ordinal),
        ]);

    private static string Of(Node node)
    {
        var inputs = string.Join(", ", node.Inputs.Select(static i => i?.Name));
        var outputs = string.Join(", ", node.Outputs.Select(Of));
        var attributes = string.Join(", ", node.Attributes.Select(static a => a.Name));
        return $"{node} ({inputs}) → {outputs} {{{attributes}}} {string.Join('\n', node.Subgraphs.Select(Of))}";
    }

    private static string Of(Value value)
    {
        var uses = string.Join(" ", value.Uses.Select(static u => $"{u.Node.OpType}:{u.Node.Output.Name}:{u.Index}"));
        return $"{value} in={value.IsGraphInput} out={value.IsGraphOutput} uses=[{uses}]";
    }
}

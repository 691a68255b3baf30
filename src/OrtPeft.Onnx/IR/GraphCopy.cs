using System.Collections.Immutable;

namespace OrtPeft.Onnx;

/// <summary>Copies graphs with their subgraphs; tensors are shared.</summary>
/// <param name="naming">What a value or node is called in the graph that receives it, given its old name.</param>
internal sealed class GraphCopy(Func<Graph, string, string> naming)
{
    /// <summary>A graph of its own, every name kept.</summary>
    public static Graph Of(Graph source) => new GraphCopy(static (_, name) => name).Copy(source, null, []);

    /// <summary>
    /// Puts a subgraph's constants and nodes into the graph around it, under names that are free there. What the
    /// subgraph reads of the graph around it is read as it is.
    /// </summary>
    /// <param name="body">A subgraph without inputs.</param>
    /// <param name="before">The node of the surrounding graph to insert before.</param>
    /// <returns>The new nodes in order, and what stands for each of the subgraph's results.</returns>
    public static (IReadOnlyList<Node> Nodes, IReadOnlyList<Value> Results) Inline(Graph body, Node before)
    {
        var copy = new GraphCopy(static (graph, name) => graph.FreshName(name));
        var values = new Dictionary<Value, Value>();
        var target = before.Graph!;
        copy.CopyConstants(body, target, values);
        var nodes = body.Nodes.Select(n => copy.CopyNode(n, target, values, before)).ToList();
        return (nodes, [.. body.Outputs.Select(o => values.GetValueOrDefault(o, o))]);
    }

    /// <summary>A subgraph once more, with the same graph around it.</summary>
    /// <param name="body">The subgraph; what it reads of the graph around it is read as it is.</param>
    /// <param name="prefix">The beginning of names in the copy, which no other name has.</param>
    public static Graph Again(Graph body, string prefix) =>
        new GraphCopy((_, name) => prefix + name).Copy(body, body.Parent, []);

    private Graph Copy(Graph source, Graph? parent, Dictionary<Value, Value> outer)
    {
        var copy = new Graph(source.Name, parent) { Unmodelled = source.Unmodelled, Family = source.Family };
        var values = new Dictionary<Value, Value>(outer);
        foreach (var input in source.Inputs)
            Link(values, input, copy.AddInput(naming(copy, input.Name), input.Type, input.Shape));
        CopyConstants(source, copy, values);
        foreach (var node in source.Nodes)
            CopyNode(node, copy, values, null);
        foreach (var output in source.Outputs)
            copy.AddOutput(values.GetValueOrDefault(output, output));
        return copy;
    }

    private void CopyConstants(Graph source, Graph target, Dictionary<Value, Value> values)
    {
        foreach (var constant in source.Initializers)
        {
            if (values.TryGetValue(constant, out var input))
                target.SetInitializer(input, constant.Initializer!);
            else
                Link(values, constant, target.AddInitializer(naming(target, constant.Name), constant.Initializer!));
        }
    }

    /// <summary>Outputs are added one by one, so that each new name is taken before the next is chosen.</summary>
    private Node CopyNode(Node node, Graph target, Dictionary<Value, Value> values, Node? before)
    {
        var attributes = node.Attributes.Select(a => CopyAttribute(a, target, values)).ToArray();
        var name = node.Name.Length == 0 ? "" : naming(target, node.Name);
        var copy = target.Insert(
            new Node(node.OpType, node.Domain, name) { Unmodelled = node.Unmodelled, SourcePath = node.SourcePath },
            node.Inputs.Select(i => i is null ? null : Copied(node, i, target, values)),
            [],
            attributes,
            before);
        foreach (var output in node.Outputs)
            Link(values, output, AddOutput(copy, output.Name));
        return copy;
    }

    private Value AddOutput(Node node, string name)
    {
        if (name.Length > 0)
            return node.Graph!.AddNamedOutput(node, naming(node.Graph, name));
        var omitted = new Value("");
        node.AddOutput(omitted);
        return omitted;
    }

    private static Value Copied(Node node, Value value, Graph target, Dictionary<Value, Value> values)
    {
        if (values.TryGetValue(value, out var copy))
            return copy;
        return target.CanRead(value)
            ? value
            : throw new GraphException($"{node} stands before what makes '{value.Name}': sort the nodes first.");
    }

    private NodeAttribute CopyAttribute(NodeAttribute attribute, Graph target, Dictionary<Value, Value> values)
    {
        object? value = attribute.Kind switch
        {
            AttributeKind.Graph => Copy(attribute.AsGraph(), target, values),
            AttributeKind.Graphs => attribute.Graphs.Select(g => Copy(g, target, values)).ToImmutableArray(),
            _ => null,
        };
        return value is null
            ? attribute
            : new NodeAttribute(attribute.Name, attribute.Kind, value) { Unmodelled = attribute.Unmodelled };
    }

    private static void Link(Dictionary<Value, Value> values, Value from, Value to)
    {
        values.Add(from, to);
        to.Type = from.Type;
        to.Shape = from.Shape;
        to.Unmodelled = from.Unmodelled;
        to.OpaqueType = from.OpaqueType;
    }
}

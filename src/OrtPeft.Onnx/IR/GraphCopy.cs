using System.Collections.Immutable;

namespace OrtPeft.Onnx;

/// <summary>Copies a graph with its subgraphs; tensors are shared.</summary>
internal static class GraphCopy
{
    public static Graph Of(Graph source) => Copy(source, null, []);

    private static Graph Copy(Graph source, Graph? parent, Dictionary<Value, Value> outer)
    {
        var copy = new Graph(source.Name, parent) { Unmodelled = source.Unmodelled };
        var values = new Dictionary<Value, Value>(outer);
        foreach (var input in source.Inputs)
            Link(values, input, copy.AddInput(input.Name, input.Type, input.Shape));
        foreach (var constant in source.Initializers)
        {
            if (values.TryGetValue(constant, out var input))
                copy.SetInitializer(input, constant.Initializer!);
            else
                Link(values, constant, copy.AddInitializer(constant.Name, constant.Initializer!));
        }

        foreach (var node in source.Nodes)
            CopyNode(node, copy, values);
        foreach (var output in source.Outputs)
            copy.AddOutput(values[output]);
        return copy;
    }

    private static void CopyNode(Node node, Graph target, Dictionary<Value, Value> values)
    {
        var attributes = node.Attributes.Select(a => CopyAttribute(a, target, values));
        var copy = target.Insert(
            new Node(node.OpType, node.Domain, node.Name) { Unmodelled = node.Unmodelled },
            node.Inputs.Select(i => i is null ? null : Copied(node, i, values)),
            node.Outputs.Select(static o => o.Name),
            attributes);
        foreach (var (from, to) in node.Outputs.Zip(copy.Outputs))
            Link(values, from, to);
    }

    private static Value Copied(Node node, Value value, Dictionary<Value, Value> values) =>
        values.TryGetValue(value, out var copy)
            ? copy
            : throw new GraphException($"{node} stands before what makes '{value.Name}': sort the nodes first.");

    private static NodeAttribute CopyAttribute(NodeAttribute attribute, Graph target, Dictionary<Value, Value> values)
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

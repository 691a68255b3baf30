using System.Collections.Immutable;
using Google.Protobuf;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Serialization;

/// <summary>Builds the graph objects from parsed messages. Nodes that stand out of order are put in order.</summary>
/// <param name="path">What messages call the file.</param>
/// <param name="opset">The version of the standard operator set, for messages.</param>
/// <param name="tensors">Reads the constants.</param>
internal sealed class GraphReader(string path, long opset, TensorReader tensors)
{
    private const string Remedy = "The graph is damaged or was edited by hand: export the model again.";

    public Graph Read(GraphProto proto, Graph? parent = null)
    {
        var graph = new Graph(proto.Name, parent);
        try
        {
            foreach (var input in proto.Input)
                TypeConverter.Read(input, graph.AddInput(input.Name, ElementType.Undefined, null));
            foreach (var initializer in proto.Initializer)
                ReadInitializer(initializer, graph);
            var nodes = proto.Node.Select(n => (Proto: n, Node: CreateNode(n, graph))).ToList();
            foreach (var (source, node) in nodes)
                Connect(source, node, graph);
            foreach (var output in proto.Output)
                ReadOutput(output, graph);
            ReadValueInfo(proto, graph);
            SortIfNeeded(graph);
        }
        catch (GraphException e)
        {
            throw new OnnxFormatException($"{path} (opset {opset}): {e.Message} {Remedy}", e);
        }

        graph.Unmodelled = Rest(proto);
        return graph;
    }

    private void ReadInitializer(TensorProto proto, Graph graph)
    {
        var name = proto.Name;
        var tensor = tensors.Read(proto);
        var input = graph.Find(name) is { IsGraphInput: true } found && found.Graph == graph ? found : null;
        if (input?.Initializer is not null)
            throw Broken($"two constants are named '{name}'");
        if (input is not null)
            graph.SetInitializer(input, tensor);
        else
            graph.AddInitializer(name, tensor);
    }

    private static Node CreateNode(NodeProto proto, Graph graph)
    {
        var node = new Node(proto.OpType, proto.Domain, proto.Name) { SourcePath = NodeScopes.Of(proto) };
        return graph.Insert(node, [], proto.Output, []);
    }

    private void Connect(NodeProto proto, Node node, Graph graph)
    {
        for (var i = 0; i < proto.Input.Count; i++)
        {
            var name = proto.Input[i];
            if (name.Length == 0)
                node.SetInput(i, null);
            else
                node.SetInput(i, Readable(node, name, graph));
        }

        foreach (var attribute in proto.Attribute)
        {
            if (node.Attributes.Contains(attribute.Name))
                throw Broken($"{node} has the attribute '{attribute.Name}' twice");
            node.Attributes.Add(ReadAttribute(attribute, graph));
        }

        node.Unmodelled = Rest(proto);
    }

    private Value Readable(Node node, string name, Graph graph) =>
        graph.Find(name) ?? throw Broken($"{node} reads '{name}', which nothing makes");

    private NodeAttribute ReadAttribute(AttributeProto proto, Graph graph)
    {
        var kind = (AttributeKind)(proto.HasType ? (int)proto.Type : (int)GuessKind(proto));
        object? value = kind switch
        {
            AttributeKind.Float => proto.F,
            AttributeKind.Int => proto.I,
            AttributeKind.String => proto.S.Memory,
            AttributeKind.Tensor => tensors.Read(proto.T ?? throw Broken($"attribute '{proto.Name}' holds no tensor")),
            AttributeKind.Graph => Read(proto.G ?? throw Broken($"attribute '{proto.Name}' holds no graph"), graph),
            AttributeKind.Floats => proto.Floats.ToImmutableArray(),
            AttributeKind.Ints => proto.Ints.ToImmutableArray(),
            AttributeKind.Strings => proto.Strings.Select(static s => s.Memory).ToImmutableArray(),
            AttributeKind.Tensors => proto.Tensors.Select(tensors.Read).ToImmutableArray(),
            AttributeKind.Graphs => proto.Graphs.Select(g => Read(g, graph)).ToImmutableArray(),
            _ => null,
        };
        return new NodeAttribute(proto.Name, kind, value)
        {
            Unmodelled = value is null ? proto.ToByteArray() : Rest(proto),
        };
    }

    private static AttributeKind GuessKind(AttributeProto proto) => proto switch
    {
        { HasF: true } => AttributeKind.Float,
        { HasI: true } => AttributeKind.Int,
        { HasS: true } => AttributeKind.String,
        { T: not null } => AttributeKind.Tensor,
        { G: not null } => AttributeKind.Graph,
        { Floats.Count: > 0 } => AttributeKind.Floats,
        { Ints.Count: > 0 } => AttributeKind.Ints,
        { Strings.Count: > 0 } => AttributeKind.Strings,
        _ => AttributeKind.Undefined,
    };

    private void ReadOutput(ValueInfoProto proto, Graph graph)
    {
        var value = graph.Find(proto.Name) ?? throw Broken($"the result '{proto.Name}' is made by nothing");
        if (value.IsGraphInput || value.Initializer is not null || value.Graph != graph)
            proto.Type = null;
        var (type, shape) = (value.Type, value.Shape);
        TypeConverter.Read(proto, value);
        if (value.Type == ElementType.Undefined)
            (value.Type, value.Shape) = (type, shape);
        graph.AddOutput(value.Graph == graph ? value : PassedOn(value, graph));
    }

    /// <summary>ONNX Runtime wants a subgraph's results to be its own.</summary>
    private static Value PassedOn(Value outer, Graph graph)
    {
        var own = graph.AddNode("Identity", [outer], [graph.FreshName($"{outer.Name}/passed_on")]).Output;
        (own.Type, own.Shape) = (outer.Type, outer.Shape);
        return own;
    }

    private static void ReadValueInfo(GraphProto proto, Graph graph)
    {
        foreach (var info in proto.ValueInfo)
        {
            if (graph.Find(info.Name) is { Producer: not null, IsGraphOutput: false } value && value.Graph == graph)
                TypeConverter.Read(info, value);
        }
    }

    private static void SortIfNeeded(Graph graph)
    {
        var seen = new HashSet<Node>();
        foreach (var node in graph.Nodes)
        {
            if (TopologicalOrder.ProducersOf(node, graph).Any(p => !seen.Contains(p)))
            {
                graph.SortTopologically();
                return;
            }

            seen.Add(node);
        }
    }

    private static byte[] Rest(GraphProto proto)
    {
        proto.Node.Clear();
        proto.ClearName();
        proto.Initializer.Clear();
        proto.Input.Clear();
        proto.Output.Clear();
        proto.ValueInfo.Clear();
        return proto.ToByteArray();
    }

    private static byte[] Rest(NodeProto proto)
    {
        proto.Input.Clear();
        proto.Output.Clear();
        proto.ClearName();
        proto.ClearOpType();
        proto.ClearDomain();
        proto.Attribute.Clear();
        return proto.ToByteArray();
    }

    private static byte[] Rest(AttributeProto proto)
    {
        proto.ClearName();
        proto.ClearType();
        proto.ClearF();
        proto.ClearI();
        proto.ClearS();
        proto.T = null;
        proto.G = null;
        proto.Floats.Clear();
        proto.Ints.Clear();
        proto.Strings.Clear();
        proto.Tensors.Clear();
        proto.Graphs.Clear();
        return proto.ToByteArray();
    }

    private OnnxFormatException Broken(string what) => new($"{path} (opset {opset}): {what}. {Remedy}");
}

using System.Collections.Immutable;
using Google.Protobuf;
using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Serialization;

/// <summary>Turns graph objects into messages.</summary>
/// <param name="tensors">Writes the content of an initializer: embedded, in a file beside, or left to the
/// session.</param>
internal sealed class GraphWriter(Action<Tensor, TensorProto> tensors)
{
    public GraphProto Write(Graph graph)
    {
        var proto = GraphProto.Parser.ParseFrom(graph.Unmodelled.Span);
        proto.Name = graph.Name;
        proto.Node.AddRange(graph.Nodes.Select(WriteNode));
        proto.Initializer.AddRange(graph.Initializers.Select(v => WriteTensor(v.Initializer!, v.Name, tensors)));
        proto.Input.AddRange(graph.Inputs.Select(TypeConverter.Write));
        proto.Output.AddRange(graph.Outputs.Select(TypeConverter.Write));
        proto.ValueInfo.AddRange(graph.Values
            .Where(static v => v is { Producer: not null, IsGraphOutput: false })
            .Where(static v => v.Type != ElementType.Undefined || !v.OpaqueType.IsEmpty)
            .Select(TypeConverter.Write));
        return proto;
    }

    public static void Embed(Tensor tensor, TensorProto proto)
    {
        if (tensor.Type != ElementType.String)
            proto.RawData = tensor.Data.View(0, checked((int)tensor.Data.Length), ByteString.CopyFrom);
    }

    private NodeProto WriteNode(Node node)
    {
        var proto = NodeProto.Parser.ParseFrom(node.Unmodelled.Span);
        proto.OpType = node.OpType;
        if (node.Name.Length > 0)
            proto.Name = node.Name;
        if (node.Domain.Length > 0)
            proto.Domain = node.Domain;
        var inputs = node.Inputs.Count;
        while (inputs > 0 && node.Inputs[inputs - 1] is null)
            inputs--;
        proto.Input.AddRange(node.Inputs.Take(inputs).Select(static i => i?.Name ?? ""));
        proto.Output.AddRange(node.Outputs.Select(static o => o.Name));
        proto.Attribute.AddRange(node.Attributes.Select(WriteAttribute));
        return proto;
    }

    private AttributeProto WriteAttribute(NodeAttribute attribute)
    {
        var proto = AttributeProto.Parser.ParseFrom(attribute.Unmodelled.Span);
        proto.Name = attribute.Name;
        proto.Type = (AttributeProto.Types.AttributeType)attribute.Kind;
        switch (attribute.Kind)
        {
            case AttributeKind.Float:
                proto.F = attribute.AsFloat();
                break;
            case AttributeKind.Int:
                proto.I = attribute.AsInt();
                break;
            case AttributeKind.String:
                proto.S = ByteString.CopyFrom(attribute.As<ReadOnlyMemory<byte>>(AttributeKind.String).Span);
                break;
            case AttributeKind.Tensor:
                proto.T = WriteTensor(attribute.AsTensor(), attribute.AsTensor().Name, Embed);
                break;
            case AttributeKind.Graph:
                proto.G = Write(attribute.AsGraph());
                break;
            case AttributeKind.Floats:
                proto.Floats.AddRange(attribute.AsFloats());
                break;
            case AttributeKind.Ints:
                proto.Ints.AddRange(attribute.AsInts());
                break;
            case AttributeKind.Strings:
                var strings = attribute.As<ImmutableArray<ReadOnlyMemory<byte>>>(AttributeKind.Strings);
                proto.Strings.AddRange(strings.Select(static s => ByteString.CopyFrom(s.Span)));
                break;
            case AttributeKind.Tensors:
                var list = attribute.As<ImmutableArray<Tensor>>(AttributeKind.Tensors);
                proto.Tensors.AddRange(list.Select(static t => WriteTensor(t, t.Name, Embed)));
                break;
            case AttributeKind.Graphs:
                proto.Graphs.AddRange(attribute.Graphs.Select(Write));
                break;
            default:
                break; // What is carried along unread is in the unmodelled part already.
        }

        return proto;
    }

    private static TensorProto WriteTensor(Tensor tensor, string name, Action<Tensor, TensorProto> content)
    {
        var proto = TensorProto.Parser.ParseFrom(tensor.Unmodelled.Span);
        proto.Dims.AddRange(tensor.Dims);
        proto.DataType = (int)tensor.Type;
        if (name.Length > 0)
            proto.Name = name;
        content(tensor, proto);
        return proto;
    }
}

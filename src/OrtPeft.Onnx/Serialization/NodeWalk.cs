using OrtPeft.Onnx.Serialization.Proto;

namespace OrtPeft.Onnx.Serialization;

/// <summary>Goes through parsed nodes and those of their subgraphs; the parser has limited the depth.</summary>
internal static class NodeWalk
{
    public static IEnumerable<NodeProto> Of(IEnumerable<NodeProto> nodes) => nodes.SelectMany(static node =>
        GraphsOf(node).SelectMany(static g => Of(g.Node)).Prepend(node));

    /// <summary>A node's own graphs.</summary>
    public static IEnumerable<GraphProto> GraphsOf(NodeProto node) => node.Attribute.SelectMany(GraphsIn);

    public static string DomainOf(NodeProto node) => node.Domain == "ai.onnx" ? "" : node.Domain;

    private static IEnumerable<GraphProto> GraphsIn(AttributeProto attribute) =>
        attribute.G is null ? attribute.Graphs : attribute.Graphs.Prepend(attribute.G);
}

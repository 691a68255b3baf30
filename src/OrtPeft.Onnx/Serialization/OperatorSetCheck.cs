using OrtPeft.Onnx.Serialization.Proto;
using OrtPeft.Tensors;

namespace OrtPeft.Onnx.Serialization;

/// <summary>Every operator set that nodes are of must be imported: without its version a node has no meaning.</summary>
internal static class OperatorSetCheck
{
    /// <summary>Older files import nothing and mean the first version.</summary>
    private const long FirstWithImports = 3;

    /// <summary>ONNX Runtime's own operators, which it takes without an import.</summary>
    private const string Microsoft = "com.microsoft";

    public static void Run(string path, ModelProto proto)
    {
        if (NodeWalk.Of(proto.Graph.Node).FirstOrDefault(static n => n.Domain == Model.OwnDomain) is { } own)
            throw new OnnxFormatException(
                $"{path}: {own.OpType} \"{own.Name}\" is of the domain '{Model.OwnDomain}', which OrtPeft keeps for its "
                + "own kernels; give the graph of standard operators that it was made from.");
        if (proto.IrVersion < FirstWithImports)
            return;
        var imported = proto.OpsetImport.Select(static o => o.Domain == "ai.onnx" ? "" : o.Domain).ToHashSet();
        imported.Add(Microsoft);
        if (NodeWalk.Of(proto.Graph.Node).FirstOrDefault(n => !imported.Contains(NodeWalk.DomainOf(n))) is not { } node)
            return;
        var set = NodeWalk.DomainOf(node) is { Length: > 0 } domain ? domain : "ai.onnx";
        throw new OnnxFormatException(
            $"{path}: {node.OpType} \"{node.Name}\" is of the operator set '{set}', whose opset the " +
            "model does not state (opset_import): export the model again.");
    }
}

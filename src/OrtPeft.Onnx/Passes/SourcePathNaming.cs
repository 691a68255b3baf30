using OrtPeft.Onnx.Decoders;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Prefixes a node's name with the module that an exporter noted for the node, so that what is made of the node is
/// known to be the module's too: <c>node_linear_3</c> becomes <c>/model.layers.0.self_attn.q_proj/node_linear_3</c>.
/// </summary>
internal static class SourcePathNaming
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        model.Graph.Family = BuilderNames.FamilyOf(model);
        foreach (var node in model.Graph.Nodes)
        {
            if (node.SourcePath is { } path && !node.Name.StartsWith('/'))
                node.Name = $"/{path}/{(node.Name.Length > 0 ? node.Name : node.OpType)}";
        }
    }
}

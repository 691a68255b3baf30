namespace OrtPeft.Onnx.Passes;

/// <summary>Finds the nodes that hold graphs of their own; adapters and gradients do not reach into these.</summary>
public static class ControlFlow
{
    /// <summary>Checks that the main graph computes everything itself.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="UnsupportedOpException">A node chooses or repeats a graph; the message names it.</exception>
    public static void Refuse(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Graph.Nodes.FirstOrDefault(static n => n.Subgraphs.Any()) is not { } node)
            return;
        var what = node.OpType == "If" ? "chooses between two graphs at run time" : "runs a graph of its own";
        var condition = node.OpType == "If" && node.Input(0) is { } fed ? $" by '{fed.Name}'" : "";
        throw new UnsupportedOpException(
            $"{node} (opset {model.Opset}) {what}{condition}, and OrtPeft does not adapt layers inside of it; " +
            "export the model without it (for Optimum: decoder_model.onnx, or --no-post-process, not the merged " +
            "decoder).");
    }
}

using OrtPeft.Adapters;
using OrtPeft.Autodiff;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Graphs;

/// <summary>The obstacles to training a graph.</summary>
public static class GradientGaps
{
    /// <summary>The nodes between the trainable parameters and the output that no gradient rule is known for.</summary>
    /// <param name="peft">The adapted model.</param>
    /// <returns>The nodes in execution order; empty when the model can be trained.</returns>
    public static IReadOnlyList<Node> Of(PeftModel peft)
    {
        var prepared = PreparedModel.Of(peft);
        var model = prepared.Model;
        DropoutLowering.ForTraining(model, GraphBuilder.Over(model).Shapes);
        var path = DifferentiablePath.Between(prepared.Parameters, [prepared.Output], prepared.Detached);
        return [.. model.Graph.Nodes.Where(n => path.Nodes.Contains(n) && RuleOf(n, model) is null)];
    }

    /// <summary>
    /// A result of an operator that nothing is known of may stop the build before its gradient does: that one is named.
    /// </summary>
    /// <returns>What to tell, or null where there is no such operator.</returns>
    internal static string? CauseOf(PeftModel peft)
    {
        if (Of(peft) is not [var first, ..])
            return null;
        var opset = peft.Model.Opsets.GetValueOrDefault(first.Domain, 1);
        if (first.Subgraphs.Any())
            return ControlFlow.NoGradient(first, (int)opset);
        return $"{first} (opset {opset}) lies between a trainable parameter and the loss, and OrtPeft knows no "
            + $"gradient for {first.OpType}; choose targets after it, or export the model without it.";
    }

    private static GradientRule? RuleOf(Node node, Model model) =>
        GradientTable.Default.Find(node, (int)model.Opsets.GetValueOrDefault(node.Domain, 1));
}

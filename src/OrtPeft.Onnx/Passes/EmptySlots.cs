namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Takes out products over an axis of length 0: slots for adapters whose defaults are empty. What they add to a layer
/// is zero.
/// </summary>
internal static class EmptySlots
{
    private static readonly string[] KeepZero = ["Mul", "Div", "Cast", "Identity"];

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model, its input defaults turned into constants.</param>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        var isChanged = false;
        foreach (var node in graph.Nodes.Where(IsOverNothing).ToArray())
        {
            var zero = node.Output;
            while (zero.Uses is [{ Node: { Domain: "" } scaled, Index: 0 or 1 }] && KeepZero.Contains(scaled.OpType)
                && (scaled.Is("Mul") || zero.Uses[0].Index == 0))
                zero = scaled.Output;
            if (zero.Uses is not [{ Node: { Domain: "", OpType: "Add" } sum } use]
                || sum.Inputs[1 - use.Index] is not { Constant: null } kept)
                continue;
            Bypass(graph, sum.Output, kept);
            isChanged = true;
        }

        if (isChanged)
            graph.RemoveDeadCode();
    }

    /// <summary>Whether a node multiplies by a constant matrix whose rows are none.</summary>
    private static bool IsOverNothing(Node node) =>
        node.Input(1)?.Constant is { Dims: [var rows, var columns] } && (
            (node.Is("MatMul") && rows == 0)
            || (node.Is("Gemm") && node.Input(2) is null
                && (node.Attributes.Int("transB", 0) != 0 ? columns : rows) == 0));

    private static void Bypass(Graph graph, Value sum, Value kept)
    {
        if (!sum.IsGraphOutput)
            graph.ReplaceAllUsesWith(sum, kept);
    }
}

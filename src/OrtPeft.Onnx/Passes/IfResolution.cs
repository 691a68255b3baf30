using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Replaces every <c>If</c> whose condition is known by the branch that it takes: a constant, what follows from
/// constants and known axes, or the switch of a merged decoder, which is taken as false: the branch for sequences
/// without a past. Nested ones are resolved likewise, inside of loops too. An <c>If</c> on data stays.
/// </summary>
internal static class IfResolution
{
    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="GraphException">A node contradicts its operator's definition.</exception>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graph = model.Graph;
        if (!graph.Nodes.Any(static n => n.Subgraphs.Any()))
            return;
        var isMerged = MergedDecoder.ChooseWithoutPast(graph);
        var count = Resolve(graph, new ShapeInference(model.Opset));
        if (count > 0)
            graph.RemoveDeadCode();
        if (isMerged)
            MergedDecoder.CleanUp(graph);
    }

    /// <summary>
    /// Infers node by node and resolves on the way, so that conditions after a resolved node are known.
    /// </summary>
    /// <returns>How many nodes were resolved.</returns>
    private static int Resolve(Graph graph, ShapeInference shapes) =>
        graph.Nodes.ToArray().Sum(node => Resolve(node, shapes));

    private static int Resolve(Node node, ShapeInference shapes)
    {
        if (BranchOf(node, shapes) is { } branch)
            return 1 + TakeBranch(node, branch, shapes).Sum(inlined => Resolve(inlined, shapes));
        var count = node.Subgraphs.ToArray().Sum(inner => Resolve(inner, shapes));
        shapes.Infer(node);
        return count;
    }

    private static Graph? BranchOf(Node node, ShapeInference shapes)
    {
        if (!node.Is("If") || node.Input(0) is not { } condition)
            return null;
        if (shapes.DataOf(condition) is not [{ Constant: { } known }])
            return null;
        var name = known != 0 ? "then_branch" : "else_branch";
        if (node.Attributes.Graph(name) is not { } branch)
            throw new GraphException($"{node}: has no {name}; export the model again.");
        if (branch.Inputs.Count > 0 || branch.Outputs.Count != node.Outputs.Count)
        {
            throw new GraphException(
                $"{node}: its {name} takes {branch.Inputs.Count} inputs and makes {branch.Outputs.Count} results; " +
                $"0 and {node.Outputs.Count} are expected: export the model again.");
        }

        return branch;
    }

    private static IReadOnlyList<Node> TakeBranch(Node node, Graph branch, ShapeInference shapes)
    {
        var g = new GraphBuilder(node.Graph!, shapes) { Before = node };
        var (nodes, results) = GraphCopy.Inline(branch, node);
        Replacement.Put(g, node, results);
        return nodes;
    }
}

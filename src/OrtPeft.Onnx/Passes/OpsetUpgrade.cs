using System.Collections.Frozen;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Rewrites nodes of older standard operator sets into their form in <see cref="CanonicalForm.Opset"/>. Operators whose
/// form did not change, or only grew types, need no row.
/// </summary>
/// <seealso href="https://github.com/onnx/onnx/blob/main/docs/Changelog.md"/>
public static class OpsetUpgrade
{
    private const int Oldest = 13;

    private static readonly FrozenDictionary<string, Action<Node, GraphBuilder>> Rows =
        new Dictionary<string, Action<Node, GraphBuilder>>(StringComparer.Ordinal)
        {
            ["ReduceMean"] = AxesToInput,
            ["ReduceMax"] = AxesToInput,
            ["ReduceMin"] = AxesToInput,
            ["ReduceProd"] = AxesToInput,
            ["ReduceL1"] = AxesToInput,
            ["ReduceL2"] = AxesToInput,
            ["ReduceLogSum"] = AxesToInput,
            ["ReduceLogSumExp"] = AxesToInput,
            ["ReduceSumSquare"] = AxesToInput,
            ["Split"] = CountOutputs,
        }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="UnsupportedOpException">The model's operator set is older than the rows reach.</exception>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Opset >= CanonicalForm.Opset)
            return;
        if (model.Opset < Oldest)
        {
            throw new UnsupportedOpException(
                $"The model is written for opset {model.Opset}; OrtPeft reads {Oldest} and newer: export it " +
                "again with a newer opset.");
        }

        Upgrade(model.Graph, new ShapeInference(model.Opset));
        model.Opsets[""] = CanonicalForm.Opset;
        model.IrVersion = Math.Max(model.IrVersion, 10);
    }

    private static void Upgrade(Graph graph, ShapeInference shapes)
    {
        var builder = new GraphBuilder(graph, shapes);
        foreach (var node in graph.Nodes.ToArray())
        {
            if (node.Domain.Length == 0 && Rows.TryGetValue(node.OpType, out var upgrade))
                upgrade(node, builder);
            foreach (var inner in node.Subgraphs)
                Upgrade(inner, shapes);
        }
    }

    /// <summary>Opset 18 moved a reduction's axes from an attribute to the second input.</summary>
    private static void AxesToInput(Node node, GraphBuilder builder)
    {
        if (node.Attributes.Ints("axes") is not { } axes)
            return;
        node.SetInput(1, builder.Int64(axes));
        node.Attributes.Remove("axes");
    }

    /// <summary>Opset 18 wants the number of outputs stated where no lengths are given.</summary>
    private static void CountOutputs(Node node, GraphBuilder builder)
    {
        if (node.Input(1) is null && !node.Attributes.Contains("num_outputs"))
            node.Attributes.Set(NodeAttribute.Of("num_outputs", (long)node.Outputs.Count));
    }
}

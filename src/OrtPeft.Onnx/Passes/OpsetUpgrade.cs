using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes.Newer;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Onnx.Passes;

/// <summary>
/// Rewrites nodes of older standard operator sets into their form in <see cref="CanonicalForm.Opset"/>. Operators whose
/// form did not change, or only grew types, need no row; from opset 22 on, no form in the rows did.
/// </summary>
/// <seealso href="https://github.com/onnx/onnx/blob/main/docs/Changelog.md"/>
internal static class OpsetUpgrade
{
    private const int Oldest = 7;

    /// <summary>An operator, the version that changed its form, and what brings the older form there.</summary>
    private static readonly (string OpType, int Version, Action<Node, GraphBuilder> Apply)[] Rows =
    [
        ("BatchNormalization", 9, static (node, _) => ChangedDefaults.ChannelStatistics(node)),
        ("Slice", 10, AttributesToInputs.Slice),
        ("TopK", 10, AttributesToInputs.TopK),
        ("Clip", 11, AttributesToInputs.Clip),
        ("Pad", 11, AttributesToInputs.Pad),
        ("Resize", 11, static (node, _) => ChangedDefaults.Resize(node)),
        ("Scatter", 11, RenameScatter),
        ("Dropout", 12, DropRatio),
        ("Softmax", 13, SoftmaxOverRows.Lower),
        ("LogSoftmax", 13, SoftmaxOverRows.Lower),
        ("Hardmax", 13, SoftmaxOverRows.Lower),
        ("Squeeze", 13, AttributesToInputs.Axes),
        ("Unsqueeze", 13, AttributesToInputs.Axes),
        ("ReduceSum", 13, AttributesToInputs.Axes),
        ("Split", 13, AttributesToInputs.SplitLengths),
        ("BatchNormalization", 14, static (node, _) => ChangedDefaults.NoTraining(node)),
        ("RoiAlign", 16, static (node, _) => ChangedDefaults.UnshiftedRegions(node)),
        ("Split", 18, CountOutputs),
        ("ReduceMean", 18, AttributesToInputs.Axes),
        ("ReduceMax", 18, AttributesToInputs.Axes),
        ("ReduceMin", 18, AttributesToInputs.Axes),
        ("ReduceProd", 18, AttributesToInputs.Axes),
        ("ReduceL1", 18, AttributesToInputs.Axes),
        ("ReduceL2", 18, AttributesToInputs.Axes),
        ("ReduceLogSum", 18, AttributesToInputs.Axes),
        ("ReduceLogSumExp", 18, AttributesToInputs.Axes),
        ("ReduceSumSquare", 18, AttributesToInputs.Axes),
        ("DFT", 20, ChangedDefaults.TransformedAxis),
        ("GridSample", 20, static (node, _) => ChangedDefaults.GridModes(node)),
        ("GroupNormalization", 21, ChangedDefaults.PerChannel),
    ];

    /// <summary>Whether a standard operator has the same form in two operator sets, but for types that the newer one may
    /// have added.</summary>
    /// <param name="opType">The operator.</param>
    /// <param name="older">The older set's version.</param>
    /// <param name="newer">The newer set's version.</param>
    /// <returns>False too where a version is out of the range that is known.</returns>
    public static bool KeepsForm(string opType, long older, long newer) =>
        older >= Oldest && newer <= OpsetLowering.Newest
        && !Rows.Any(r => r.OpType == opType && r.Version > older && r.Version <= newer);

    /// <summary>Runs the pass in place.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="UnsupportedOpException">The model's operator set is older than the rows reach, or newer than
    /// any that is known.</exception>
    /// <exception cref="GraphException">A node contradicts its operator's definition.</exception>
    public static void Run(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Opset is < Oldest or > OpsetLowering.Newest)
        {
            throw new UnsupportedOpException(
                $"The model is written for opset {model.Opset}; OrtPeft reads {Oldest} to {OpsetLowering.Newest}: " +
                $"export it again with opset {CanonicalForm.Opset}.");
        }

        var shapes = new ShapeInference(model.Opset);
        shapes.Infer(model.Graph);
        if (model.Opset >= CanonicalForm.Opset)
            return;
        var pending = Rows.Where(r => r.Version > model.Opset).ToLookup(static r => r.OpType, static r => r.Apply);
        Upgrade(model.Graph, model.Opset, new ShapeInference(CanonicalForm.Opset), pending);
        model.Opsets[""] = CanonicalForm.Opset;
        model.IrVersion = Math.Max(model.IrVersion, 10);
    }

    private static void Upgrade(
        Graph graph, int opset, ShapeInference shapes, ILookup<string, Action<Node, GraphBuilder>> pending)
    {
        var builder = new GraphBuilder(graph, shapes);
        foreach (var node in graph.Nodes.ToArray())
        {
            foreach (var inner in node.Subgraphs)
                Upgrade(inner, opset, shapes, pending);
            if (node.Domain.Length > 0)
                continue;
            (builder.Before, builder.Scope) = (node, node.Name);
            foreach (var apply in pending[node.OpType])
                NodeBlame.On(node, opset, () => apply(node, builder));
        }
    }

    /// <summary>
    /// Opset 12 moved the ratio to an input; without the input that turns training on, both forms do nothing.
    /// </summary>
    private static void DropRatio(Node node, GraphBuilder builder)
    {
        node.Attributes.Remove("ratio");
        node.Attributes.Remove("is_test");
    }

    /// <summary>Opset 11 gave Scatter its present name.</summary>
    private static void RenameScatter(Node node, GraphBuilder builder) =>
        Replacement.Put(builder, node, builder.Op("ScatterElements", [.. node.Inputs], [.. node.Attributes]));

    /// <summary>Opset 18 wants the number of outputs stated where no lengths are given.</summary>
    private static void CountOutputs(Node node, GraphBuilder builder)
    {
        if (node.Input(1) is null && !node.Attributes.Contains("num_outputs"))
            node.Attributes.Set(NodeAttribute.Of("num_outputs", (long)node.Outputs.Count));
    }
}

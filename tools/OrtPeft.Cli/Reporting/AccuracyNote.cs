using OrtPeft.Models;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Cli.Reporting;

/// <summary>Says where a quantised base is computed more exactly here than ONNX Runtime computes the file.</summary>
internal static class AccuracyNote
{
    private const int RoundsActivations = 4;

    /// <summary>Warns in one line, where the model has nodes that ask for it.</summary>
    /// <param name="run">Where the warning goes.</param>
    /// <param name="source">The model.</param>
    /// <param name="isAsGiven">Whether products of integers stay such: of a base without an adapter.</param>
    public static void Warn(Invocation run, ModelSource source, bool isAsGiven = false)
    {
        Say(CountIn(source.Model.Graph), "MatMulNBits node", "with accuracy_level 4");
        const string Dynamic = "of integers after dynamic quantisation";
        if (!isAsGiven)
            Say(DynamicProductsIn(source.Model.Graph), "product", Dynamic);
        else if (DynamicProductsIn(source.Model.Graph) is > 0 and var products)
            run.Warn($"{source.ModelPath}: {Human.Count(products, "product")} {Dynamic}, whose results depend on what else is in "
                + "the batch; with an adapter they are computed in float32, and differ a little.");

        void Say(int count, string what, string kind)
        {
            if (count > 0)
                run.Warn($"{source.ModelPath}: {Human.Count(count, what)} {kind}, where ONNX Runtime rounds activations to 8 "
                    + "bits; here they are computed in float32, so results differ a little.");
        }
    }

    /// <summary>How many products of integers there are, in branches too.</summary>
    private static int DynamicProductsIn(Graph graph) => graph.Nodes.Sum(static n =>
        (DynamicProducts.Is(n) ? 1 : 0) + n.Subgraphs.Sum(DynamicProductsIn));

    /// <summary>How many such nodes there are, in branches too.</summary>
    internal static int CountIn(Graph graph) => graph.Nodes.Sum(static n =>
        (n is { OpType: "MatMulNBits", Domain: "com.microsoft" }
            && n.Attributes.Int("accuracy_level", 0) == RoundsActivations ? 1 : 0)
        + n.Subgraphs.Sum(CountIn));
}

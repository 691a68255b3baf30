using OrtPeft.Models;
using OrtPeft.Onnx;

namespace OrtPeft.Cli.Reporting;

/// <summary>Says where a quantised base is computed more exactly here than ONNX Runtime computes the file.</summary>
internal static class AccuracyNote
{
    private const int RoundsActivations = 4;

    /// <summary>Warns in one line, where the model has nodes that ask for it.</summary>
    public static void Warn(Invocation run, ModelSource source)
    {
        var count = CountIn(source.Model.Graph);
        if (count > 0)
            run.Warn($"{source.ModelPath}: {Human.Count(count, "MatMulNBits node")} with accuracy_level 4, where "
                + "ONNX Runtime rounds activations to 8 bits; here they are computed in float32, so results differ a "
                + "little.");
    }

    /// <summary>How many such nodes there are, in branches too.</summary>
    internal static int CountIn(Graph graph) => graph.Nodes.Sum(static n =>
        (n is { OpType: "MatMulNBits", Domain: "com.microsoft" }
            && n.Attributes.Int("accuracy_level", 0) == RoundsActivations ? 1 : 0)
        + n.Subgraphs.Sum(CountIn));
}

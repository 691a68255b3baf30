using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Shapes;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>
/// Picks rows before they are computed rather than afterwards, f(X)[places] = f(X[places]): after the last attention,
/// positions without a label are in nobody's way to the loss. The rows that are left are those of a matrix.
/// </summary>
internal static class RowPicking
{
    public static void Run(GraphBuilder g)
    {
        foreach (var pick in g.Graph.Nodes.Where(IsPick).ToArray())
        {
            if (RowRegion.Before(pick) is { HasProducts: true } region)
                region.Pick(g);
        }
    }

    /// <summary>Whether a node picks no row twice, so that there are not more of them afterwards.</summary>
    private static bool IsPick(Node node) => node.Is("Gather") && node.Attributes.Int("axis", 0) == 0
        && node.Inputs[0] is { Shape.Rank: 2 } && DistinctIndices.Are(node.Inputs[1]!);
}

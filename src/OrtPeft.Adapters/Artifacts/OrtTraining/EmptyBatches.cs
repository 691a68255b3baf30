using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Adapters.Artifacts.OrtTraining;

/// <summary>
/// Lets a head that trains be fed batches without a supervised token: ONNX Runtime 1.19 refuses a <c>Gemm</c> that sums
/// over no elements, so that sum gets one of zeros.
/// </summary>
internal static class EmptyBatches
{
    private const string LossScope = "/loss/";

    public static void Allow(Model model)
    {
        var g = GraphBuilder.Over(model);
        foreach (var node in model.Graph.Nodes.Where(IsOverSupervisedTokens).ToArray())
        {
            g.Before = node;
            g.Scope = "/loss/padded";
            for (var i = 0; i < 2; i++)
                node.SetInput(i, g.Op("Pad", node.Inputs[i]!, g.Int64(0, 0, 1, 0)));
        }
    }

    /// <summary>pᵀ·h of the loss, one row of both for each supervised token.</summary>
    private static bool IsOverSupervisedTokens(Node node) =>
        node.Is("Gemm") && node.Name.StartsWith(LossScope, StringComparison.Ordinal)
        && node.Attributes.Int("transA", 0) == 1;
}

using OrtPeft.Compilation.Objectives;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Compilation.OrtTraining;

/// <summary>
/// Lets weights after the last attention, the head among them, be fed batches without a supervised token: ONNX Runtime
/// 1.19 refuses a <c>Gemm</c> that sums over no elements, so that sum gets one of zeros.
/// </summary>
internal static class EmptyBatches
{
    public static void Allow(Model model)
    {
        // Inference forgets which axes are the supervised positions.
        var sums = model.Graph.Nodes.Where(IsOverSupervisedTokens).ToArray();
        var g = GraphBuilder.Over(model);
        foreach (var node in sums)
        {
            g.Before = node;
            g.Scope = "/loss/padded";
            for (var i = 0; i < 2; i++)
                node.SetInput(i, g.Op("Pad", node.Inputs[i]!, g.Int64(0, 0, 1, 0)));
        }
    }

    /// <summary>A weight's gradient Xᵀ·dY, one row of both for each supervised token.</summary>
    private static bool IsOverSupervisedTokens(Node node) => node.Is("Gemm")
        && node.Attributes.Int("transA", 0) == 1
        && node.Inputs[0]!.Shape is { Rank: 2 } rows && rows[0].SurelyEquals(CausalLm.Supervised);
}

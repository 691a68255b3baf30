using OrtPeft.Kernels;
using OrtPeft.Kernels.Operators;
using OrtPeft.Kernels.Products;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>A frozen head's product, the loss and the product back, as one node that holds no logits but a block's.
/// </summary>
internal static class HeadBlocks
{
    public static void Run(GraphBuilder g)
    {
        foreach (var loss in g.Graph.Nodes.Where(CrossEntropy.Forward.Is).ToArray())
        {
            if (Alone(loss.Inputs[0]!)?.Producer is not { } product || !PackedMatMul.Forward.Is(product)
                || product.Input(3) is not null || product.Input(4) is not null
                || Alone(loss.Outputs[0])?.Uses[0] is not { Index: 0, Node: var back }
                || !PackedMatMul.Transposed.Is(back) || back.Inputs[1] != product.Inputs[1])
                continue;
            var results = HeadLoss.Forward.Apply(
                g, loss, [.. product.Inputs.Take(3), loss.Inputs[1]], back.Output, loss.Outputs[1]);
            Replacement.Put(g, back, results[0]);
            g.Graph.ReplaceAllUsesWith(loss.Outputs[1], results[1]);
        }

        g.Graph.RemoveDeadCode();
    }

    /// <summary>A value that one node reads, and nobody else.</summary>
    private static Value? Alone(Value value) => value is { IsGraphOutput: false, Uses.Count: 1 } ? value : null;
}

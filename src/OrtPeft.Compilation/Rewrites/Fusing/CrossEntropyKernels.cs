using OrtPeft.Kernels;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>
/// The probabilities that the loss's gradient reads and the logarithms that the loss reads, in one node: no matrix of
/// logarithms is made.
/// </summary>
internal static class CrossEntropyKernels
{
    public static void Run(GraphBuilder g)
    {
        foreach (var node in g.Graph.Nodes.Where(static n => n.Is("LogSoftmax")).ToArray())
        {
            if (node.Inputs[0] is not { Type: ElementType.Float, Shape.Rank: 2 } logits || !Fused.IsOnLastAxis(node)
                || node.Output is not { IsGraphOutput: false, Uses.Count: 2 } logP
                || Fused.Readers(logP, "Exp").FirstOrDefault() is not { } exp
                || Fused.Readers(logP, "GatherElements").FirstOrDefault() is not { } pick
                || pick.Inputs[1] is not { Type: ElementType.Int64, Shape: { Rank: 2 } shape } targets
                || shape[1].Value != 1 || pick.Attributes.Int("axis", 0) is not (1 or -1))
                continue;
            var results = Fused.Ops(g, node, FusedOps.CrossEntropy, [logits, targets], logits, targets);
            Replacement.Put(g, exp, results[0]);
            Replacement.Put(g, pick, results[1]);
            g.Graph.RemoveDeadCode();
        }
    }
}

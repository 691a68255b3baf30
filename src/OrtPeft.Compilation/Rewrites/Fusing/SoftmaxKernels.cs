using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>Attention's mask and softmax as one node, and softmax's gradient with its mask as another.</summary>
internal static class SoftmaxKernels
{
    private const int Axes = 4;

    public static void Run(GraphBuilder g)
    {
        foreach (var softmax in g.Graph.Nodes.Where(IsMeant).ToArray())
        {
            if (Gradient(softmax.Output) is var (gradient, dP))
                PutGradient(g, gradient, dP, softmax.Output);
            if (MaskedScores(softmax.Inputs[0]!) is var (scores, mask))
                Replacement.Put(g, softmax, Fused.Op(g, softmax, FusedOps.MaskedSoftmax, scores, scores, mask));
        }
    }

    private static bool IsMeant(Node node) => node.Is("Softmax") && Fused.IsOnLastAxis(node)
        && node.Inputs[0] is { Type: ElementType.Float, Shape.Rank: Axes };

    private static (Value Scores, Value Mask)? MaskedScores(Value masked)
    {
        if (Fused.Maker(masked, "Add") is not { } add || masked.Uses.Count != 1)
            return null;
        var (scores, mask) = (add.Inputs[0]!, add.Inputs[1]!);
        var isMask = scores.Shape is { Rank: Axes } && mask.Shape is { Rank: <= Axes } && scores.Initializer is null;
        return isMask && IsAsLargeAs(scores, masked) ? (scores, mask) : null;
    }

    /// <summary>Whether no axis of the scores is broadcast by their mask.</summary>
    private static bool IsAsLargeAs(Value scores, Value masked) =>
        scores.Shape!.Zip(masked.Shape!).All(static pair => pair.First.Value != 1 || pair.Second.Value == 1);

    /// <summary>dP∘P − P∘Σ(dP∘P).</summary>
    private static (Node Node, Value DP)? Gradient(Value p)
    {
        foreach (var product in Fused.Readers(p, "Mul"))
        {
            var weighted = product.Output;
            var node = Fused.Readers(weighted, "Sub").FirstOrDefault(n => n.Inputs[0] == weighted);
            if (node is not null
                && Fused.Maker(node.Inputs[1], "Mul") is { } last && Fused.Other(last, p) is { } sum
                && Fused.Maker(sum, "ReduceSum")?.Inputs[0] == weighted
                && Fused.Other(product, p) is { } dP)
                return (node, dP);
        }

        return null;
    }

    private static void PutGradient(GraphBuilder g, Node node, Value dP, Value p)
    {
        if (node.Output is { IsGraphOutput: false, Uses: [var use] } && use.Node.Is("Mul")
            && Fused.Other(use.Node, node.Output) is { Type: ElementType.Float, Shape.Rank: <= Axes } mask
            && Fused.Maker(mask, "Cast") is not null)
            Replacement.Put(g, use.Node, Fused.Op(g, use.Node, FusedOps.MaskedSoftmaxGrad, dP, dP, p, mask));
        else
            Replacement.Put(g, node, Fused.Op(g, node, FusedOps.SoftmaxGrad, dP, dP, p));
    }
}

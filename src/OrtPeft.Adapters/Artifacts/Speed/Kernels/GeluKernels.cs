using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Adapters.Artifacts.Speed.Kernels;

/// <summary>GELU's tanh form as one node, and the dozen nodes of its gradient as another.</summary>
internal static class GeluKernels
{
    public static void Run(GraphBuilder g)
    {
        foreach (var gelu in g.Graph.Nodes.Where(GeluUnfolding.IsTanhForm).ToArray())
        {
            var x = gelu.Inputs[0]!;
            if (x.Type is not ElementType.Float)
                continue;
            if (GeluUnfolding.Sigma(x) is { } sigma && Gradient(sigma) is var (node, dY))
                Replacement.Put(g, node, Fused.Op(g, node, FusedOps.GeluGrad, x, dY, x));
            Replacement.Put(g, gelu, Fused.Op(g, gelu, FusedOps.Gelu, x, x));
        }
    }

    /// <summary>The product dY·(σ + …), where σ's sum goes nowhere else.</summary>
    private static (Node Node, Value DY)? Gradient(Value sigma)
    {
        var slope = Fused.Readers(sigma, "Add").FirstOrDefault(n => n.Inputs[0] == sigma)?.Output;
        return slope is { IsGraphOutput: false, Uses: [var use] } && use.Node.Is("Mul")
            ? (use.Node, Fused.Other(use.Node, slope)!)
            : null;
    }
}

using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>
/// GELU's tanh form with the bias before it as one node, and the dozen nodes of its gradient as another.
/// </summary>
internal static class GeluKernels
{
    public static void Run(GraphBuilder g)
    {
        foreach (var gelu in g.Graph.Nodes.Where(GeluUnfolding.IsTanhForm).ToArray())
        {
            var x = gelu.Inputs[0]!;
            if (x.Type is not ElementType.Float || Parts(g, x) is not var (product, bias))
                continue;
            if (GeluUnfolding.Sigma(x) is { } sigma && Gradient(sigma) is var (node, dY))
                Replacement.Put(g, node, Fused.Op(g, node, FusedOps.GeluGrad, x, dY, product, bias));
            Replacement.Put(g, gelu, Fused.Op(g, gelu, FusedOps.Gelu, x, product, bias));
        }
    }

    /// <summary>The sum of a product and its bias, or anything and a bias of zeros.</summary>
    private static (Value Product, Value Bias)? Parts(GraphBuilder g, Value x)
    {
        if (x.Shape is not { Rank: > 0 } shape || shape[shape.Rank - 1].Value is not { } columns)
            return null;
        if (Fused.Maker(x, "Add") is { } add)
        {
            for (var side = 0; side < 2; side++)
            {
                var (product, bias) = (add.Inputs[side]!, add.Inputs[1 - side]!);
                if (bias.Shape is { Rank: 1 } vector && vector[0].Value == columns
                    && product.Shape is { } rows && rows.Rank == shape.Rank && rows[rows.Rank - 1].Value == columns)
                    return (product, bias);
            }
        }

        return (x, g.Constant(Tensor.Vector(new float[columns]), "no_bias"));
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

using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>
/// Attention's exchange of positions and heads as a node that uses all threads. Where the last two axes change places
/// too, that stays a <c>Transpose</c>, which ONNX Runtime makes part of the product that reads it.
/// </summary>
internal static class SwapAxesKernels
{
    public static void Run(GraphBuilder g)
    {
        foreach (var node in g.Graph.Nodes.Where(static n => n.Is("Transpose")).ToArray())
        {
            if (node.Inputs[0] is not { Type: ElementType.Float, Initializer: null, Shape: { Rank: 4 } s } x)
                continue;
            (g.Before, g.Scope) = (node, node.Name);
            var order = node.Attributes.Ints("perm");
            if (order is [0, 2, 1, 3])
                Replacement.Put(g, node, Swap(g, x, [s[0], s[2], s[1], s[3]]));
            else if (order is [0, 2, 3, 1])
                Replacement.Put(g, node, g.Transpose(Swap(g, x, [s[0], s[2], s[1], s[3]]), 0, 1, 3, 2));
            else if (order is [0, 3, 1, 2])
                Replacement.Put(g, node, Swap(g, g.Transpose(x, 0, 1, 3, 2), [s[0], s[3], s[1], s[2]]));
        }
    }

    private static Value Swap(GraphBuilder g, Value x, Shape shape)
    {
        var y = g.Ops(FusedOps.SwapAxes, 1, [x], [], FusedOps.Domain)[0];
        (y.Type, y.Shape) = (ElementType.Float, shape);
        return y;
    }
}

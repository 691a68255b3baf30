using OrtPeft.Kernels.Operators;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites;

/// <summary>
/// Attention's exchange of positions and heads as a node that uses all threads. Where the last two axes change places
/// too, that stays a <c>Transpose</c>, which ONNX Runtime makes part of the product that reads it.
/// </summary>
internal static class AxisSwaps
{
    public static void Run(GraphBuilder g)
    {
        foreach (var node in g.Graph.Nodes.Where(static n => n.Is("Transpose")).ToArray())
        {
            if (node.Inputs[0] is not { Type: ElementType.Float, Initializer: null, Shape: { Rank: 4 } } x)
                continue;
            (g.Before, g.Scope) = (node, node.Name);
            var order = node.Attributes.Ints("perm");
            if (order is [0, 2, 1, 3])
                Replacement.Put(g, node, SwapAxes.Forward.Apply(g, [x]));
            else if (order is [0, 2, 3, 1])
                Replacement.Put(g, node, g.Transpose(SwapAxes.Forward.Apply(g, [x])[0], 0, 1, 3, 2));
            else if (order is [0, 3, 1, 2])
                Replacement.Put(g, node, SwapAxes.Forward.Apply(g, [g.Transpose(x, 0, 1, 3, 2)]));
        }
    }
}

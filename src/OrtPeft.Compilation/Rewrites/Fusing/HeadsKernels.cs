using OrtPeft.Kernels;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;
using OrtPeft.Onnx.Shapes;
using OrtPeft.Tensors;

namespace OrtPeft.Compilation.Rewrites.Fusing;

/// <summary>
/// Takes queries, keys and values that one linear layer makes apart and into heads in one node, and puts their
/// gradients together in another; where layers of their own make them, <see cref="SwapAxesKernels"/> is all there is
/// to do.
/// </summary>
internal static class HeadsKernels
{
    private const int Parts = 3;

    public static void Run(GraphBuilder g)
    {
        SwapAxesKernels.Run(g);
        foreach (var node in g.Graph.Nodes.Where(static n => n.Is("Concat")).ToArray())
        {
            if (Merged(node) is { } parts)
                Replacement.Put(g, node, Fused.Op(g, node, FusedOps.MergeHeads, node.Output, [.. parts]));
        }

        // Gradients that are gone asked for the parts' shapes.
        g.Graph.RemoveDeadCode();
        foreach (var node in g.Graph.Nodes.Where(static n => n.Is("Split")).ToArray())
            Split(g, node);
    }

    /// <summary>The [batch, heads, positions, d] that the three parts of a row are made of.</summary>
    private static Value[]? Merged(Node node)
    {
        if (node.Inputs.Count != Parts || node.Output.Shape is not { Rank: 3 } || AxisOf(node) != 2)
            return null;
        var swaps = node.Inputs.Select(static i => Fused.Maker(i, "Reshape")?.Inputs[0]!.Producer).ToArray();
        if (!swaps.All(static s => s is not null && IsSwap(s)))
            return null;
        var parts = swaps.Select(static s => s!.Inputs[0]!).ToArray();
        var areHeads = parts.Zip(node.Inputs).All(p => p.First.Shape is { Rank: 4 } shape
            && WidthOf(shape) is { } width && shape[1].Value == parts[0].Shape![1].Value
            && p.Second!.Shape is { Rank: 3 } rows && rows[2].Value == width);
        return areHeads ? parts : null;
    }

    private static void Split(GraphBuilder g, Node node)
    {
        if (node.Inputs[0] is not { Type: ElementType.Float, Shape: { Rank: 3 } rows } x || AxisOf(node) != 2
            || node.Outputs.Count != Parts
            || node.Outputs.Any(static o => o is not { IsGraphOutput: false, Uses.Count: 1 }))
            return;
        var swaps = node.Outputs.Select(static o => SwapOf(o.Uses[0].Node)).ToArray();
        if (swaps[0]?.Output.Shape is not { } first
            || first[1].Value is not { } heads || WidthOf(first) is not { } width
            || rows[2].Value != Parts * width
            || node.Outputs.Any(o => o.Shape is not { Rank: 3 } part || part[2].Value != width)
            || swaps.Any(s => s?.Output.Shape is not { } shape || shape[1].Value != heads || WidthOf(shape) != width))
            return;
        var parts = Fused.Ops(
            g, node, FusedOps.SplitHeads, [x, g.Int64Scalar(heads)],
            swaps[0]!.Output, swaps[1]!.Output, swaps[2]!.Output);
        foreach (var (swap, part) in swaps.Zip(parts))
            Replacement.Put(g, swap!, part);
    }

    private static Node? SwapOf(Node reshape) => reshape.Is("Reshape") && !reshape.Output.IsGraphOutput
        && reshape.Output is { Shape: { Rank: 4 }, Uses: [{ Node: var swap }] } && IsSwap(swap) ? swap : null;

    private static bool IsSwap(Node node) => Fused.Is(node, FusedOps.SwapAxes);

    /// <summary>heads·d, of [batch, heads, positions, d].</summary>
    private static long? WidthOf(Shape shape) =>
        shape[1].Value is { } heads && shape[3].Value is { } d ? heads * d : null;

    private static long AxisOf(Node node) => node.Attributes.Int("axis", 0) is var axis && axis < 0 ? axis + 3 : axis;
}

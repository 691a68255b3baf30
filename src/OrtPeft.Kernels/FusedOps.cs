using System.Collections.Frozen;
using OrtPeft.Autodiff;
using OrtPeft.Kernels.Operators;
using OrtPeft.Kernels.Products;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;
using OrtPeft.Onnx.Passes;

namespace OrtPeft.Kernels;

/// <summary>The fused operators, a row each. Of operators that could be found in the same nodes, the larger stands
/// first. Frozen and thread-safe.</summary>
public static class FusedOps
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<FusedOp> All { get; } =
    [
        SelfAttention.Forward, SelfAttention.Backward,
        Attention.Forward, Attention.Backward, Attention.ForwardInRows, Attention.BackwardInRows,
        MaskedSoftmax.Forward, MaskedSoftmax.Backward,
        Heads.Split, Heads.Merge,
        RotaryEmbedding.Forward, RotaryEmbedding.Backward,
        LayerNorm.Forward, LayerNorm.Backward, LayerNorm.Rows,
        RmsNorm.Forward, RmsNorm.Backward, RmsNorm.Rows,
        .. ActivationOps.Gates,
        .. ActivationOps.All,
        SeededDropout.Forward,
        CrossEntropy.Forward,
        SwapAxes.Forward,
        LowRankLinear.Forward, LowRankLinear.Backward, LowRankLinear.OfA,
        PackedMatMul.Forward, PackedMatMul.Transposed,
        PackedMatMul.Gelu, PackedMatMul.GeluGrad,
        PackedMatMul.OfStrips, PackedMatMul.TransposedOfStrips,
        PackedMatMul.GeluInStrips, PackedMatMul.GeluGradInStrips,
        PackedMatMul.Lora, PackedMatMul.LoraGrad,
        HeadLoss.Forward,
        After.Forward,
        Narrowed.Narrow, Narrowed.Widen,
    ];

    private static readonly FrozenDictionary<string, FusedOp> _byName =
        All.ToFrozenDictionary(static op => op.Name, StringComparer.Ordinal);

    /// <summary>The gradient table of the standard operators and of these.</summary>
    public static GradientTable Gradients { get; } = GradientTable.Default.With(
        All.Where(static op => op.Gradient is not null)
            .Select(static op => (new OpKey(FusedOp.Domain, op.Name, 1), op.Gradient!)));

    /// <summary>The operator of a node, or null.</summary>
    /// <param name="node">Any node.</param>
    /// <returns>Its operator, if it is one of these.</returns>
    public static FusedOp? Of(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Domain == FusedOp.Domain ? _byName.GetValueOrDefault(node.OpType) : null;
    }

    /// <summary>Puts fused operators in the place of standard ones, wherever they are found.</summary>
    /// <param name="g">The builder of a graph that has not been differentiated.</param>
    /// <param name="differentiated">The values between trainable parameters and the loss.</param>
    public static void Raise(GraphBuilder g, IReadOnlySet<Value> differentiated)
    {
        ArgumentNullException.ThrowIfNull(g);
        // What is asked for its lengths alone is in nobody's way.
        InputLengths.Run(g);
        g.Graph.RemoveDeadCode();
        var context = new RaisingContext(g, differentiated);
        AttentionForm.TurnKeysApart(context);
        foreach (var raise in All.Select(static op => op.Raise).OfType<RaisingRule>())
        {
            raise(context);
            // What is gone read values that the next operator wants for itself.
            g.Graph.RemoveDeadCode();
        }

        (g.Before, g.Scope) = (null, "");
    }

    /// <summary>Puts standard operators in the place of fused ones. A large one may become smaller ones first, which
    /// stay if kernels run those.</summary>
    /// <param name="g">The graph's builder.</param>
    /// <param name="isKept">Which nodes stay, since kernels run them; none when left out.</param>
    public static void Lower(GraphBuilder g, Func<Node, bool>? isKept = null)
    {
        ArgumentNullException.ThrowIfNull(g);
        isKept ??= static _ => false;
        g.Graph.RemoveDeadCode();
        var context = new LoweringContext(g, isKept);
        while (g.Graph.Nodes.Where(n => Of(n)?.Lower is not null && !isKept(n)).ToArray() is [_, ..] nodes)
        {
            foreach (var node in nodes)
            {
                context.Node = node;
                (g.Before, g.Scope) = (node, node.Name);
                Replacement.Put(g, node, Of(node)!.Lower!(context));
            }
        }

        g.Graph.RemoveDeadCode();
        // What a later node was lowered to first may serve an earlier one.
        g.Graph.SortTopologically();
        (g.Before, g.Scope) = (null, "");
    }
}

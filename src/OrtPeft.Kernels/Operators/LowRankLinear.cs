using OrtPeft.Autodiff;
using OrtPeft.Kernels.LowRank;
using OrtPeft.Kernels.Native;
using OrtPeft.Onnx;
using OrtPeft.Onnx.Building;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// A linear layer with LoRA, of a constant matrix: Y = X·W + α·U·Bᵀ + bias with U = XA·Aᵀ, where XA is X if it is left
/// out, and else X after dropout. W is [n, o], or [o, n] where the attribute <c>transW</c> is 1; <c>alpha</c> is an
/// attribute, too. Its kernel is part of the product with W (<see cref="Products.PackedMatMul"/>).
/// </summary>
/// <seealso href="https://arxiv.org/abs/2106.09685">Hu et al., LoRA, equation 3.</seealso>
public static class LowRankLinear
{
    /// <summary>The largest r that kernels take.</summary>
    public const int LargestRank = 64;

    /// <summary>The operator.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "LowRankLinear",
        Signature = OpSignature.Parse("X[..., n], W[**], A[r, n], B[o, r], bias?[o], XA?[m, n] → Y[..., o], U[m, r]"),
        Raise = LowRankForm.Raise,
        Gradient = Differentiate,
        Lower = LowerForward,
        Fits = static n => HasKnownRank(n, b: 3),
    };

    /// <summary>dX = dY·Wᵀ + dU·A with dU = α·dY·B, dB = α·dYᵀ·U; without A, dX = dY·Wᵀ.</summary>
    public static FusedOp Backward { get; } = new()
    {
        Name = "LowRankLinearGrad",
        Signature = OpSignature.Parse(
            "dY[..., o], X[..., n], W[**], U[m, r], A?[r, n], B[o, r] → dX[..., n], dU[m, r], dB[o, r]"),
        Lower = LowerBackward,
        Fits = static n => HasKnownRank(n, b: 5) && n.Outputs[0].Uses.Count > 0,
    };

    /// <summary>The gradient of A, dA = dUᵀ·X, by a kernel that reads X once.</summary>
    public static FusedOp OfA { get; } = new()
    {
        Name = "LowRankGrad",
        Signature = OpSignature.Parse("dU[m, r], X~[..., n] → dA[r, n]"),
        Lower = static c => [c.G.Gemm(c.X(0), Matrix(c.G, c.X(1)), transA: true)],
        Fits = static n => n.Outputs[0].Shape is { Rank: 2 } shape
            && shape[0].Value is { } rank and <= LargestRank && shape[1].Value > rank,
        Run = RunOfA,
    };

    /// <summary>Whether the matrix is [o, n].</summary>
    /// <param name="node">A node of one of the first two operators.</param>
    /// <returns>The attribute <c>transW</c>.</returns>
    public static bool IsTransposed(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Attributes.Int("transW", 0) != 0;
    }

    /// <summary>The factor of the low-rank product.</summary>
    /// <param name="node">A node of one of the first two operators.</param>
    /// <returns>The attribute <c>alpha</c>.</returns>
    public static float Alpha(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Attributes.Float("alpha", 1);
    }

    private static IReadOnlyList<Value?> Differentiate(RuleContext c)
    {
        var (x, w, a, b, u) = (c.X(), c.X(1), c.X(2), c.X(3), c.Node.Outputs[1]);
        var other = c.Node.Input(5);
        var results = Backward.Apply(c.G, [c.DY, x, w, u, other is null ? a : null, b], Attributes(c.Node));
        return c.PadToInputs(
            results[0],
            null,
            OfA.Apply(c.G, [results[1], other ?? x])[0],
            results[2],
            c.Node.Input(4) is null ? null : c.DY,
            other is null ? null : c.G.Gemm(results[1], a));
    }

    private static NodeAttribute[] Attributes(Node node) =>
        [NodeAttribute.Of("transW", IsTransposed(node) ? 1L : 0L), NodeAttribute.Of("alpha", Alpha(node))];

    private static IReadOnlyList<Value?> LowerForward(LoweringContext c)
    {
        var (g, x, alpha) = (c.G, Matrix(c.G, c.X(0)), Alpha(c.Node));
        var u = g.Gemm(c.Node.Input(5) ?? x, c.X(2), transB: true);
        if (x == c.X(0).Value)
        {
            var product = g.Gemm(x, c.X(1), c.Node.Input(4), transB: IsTransposed(c.Node));
            return [g.Gemm(u, c.X(3), product, transB: true, alpha: alpha), u];
        }

        var rows = g.MatMul(c.X(0), IsTransposed(c.Node) ? g.Transpose(c.X(1), 1, 0) : c.X(1));
        if (c.Node.Input(4) is { } bias)
            rows = g.Term(rows) + bias;
        return [g.ReshapeLike(g.Gemm(u, c.X(3), Matrix(g, rows), transB: true, alpha: alpha), rows), u];
    }

    private static IReadOnlyList<Value?> LowerBackward(LoweringContext c)
    {
        var (g, dY, alpha) = (c.G, Matrix(c.G, c.X(0)), Alpha(c.Node));
        var dU = g.Gemm(dY, c.X(5), alpha: alpha);
        Value? dX = null;
        if (c.Node.Outputs[0].Uses.Count > 0)
        {
            var ofBase = g.Gemm(dY, c.X(2), transB: !IsTransposed(c.Node));
            dX = g.ReshapeLike(c.Node.Input(4) is { } a ? g.Gemm(dU, a, ofBase) : ofBase, c.X(1));
        }

        return [dX, dU, g.Gemm(dY, c.X(3), transA: true, alpha: alpha)];
    }

    private static Value Matrix(GraphBuilder g, Value x) =>
        x.Shape is { Rank: 2 } ? x : g.Reshape(x, -1, x.Shape![x.Shape.Rank - 1].Value!.Value);

    private static bool HasKnownRank(Node node, int b) =>
        node.Inputs[b]!.Shape![1].Value is > 0 and <= LargestRank;

    private static unsafe void RunOfA(KernelCall call)
    {
        var (rank, columns) = (call.RowLength(0), call.RowLength(1));
        var rows = checked((int)call.Rows(1));
        KernelShapes.RequireEqual([rows, rank], call.Dims(0));
        var plan = LowRankRows.Plan(call.Input<float>(1), rows, columns, rank);
        LowRankSums.Prepare(ref plan, call.Input<float>(0));
        plan.Total = call.Output(0, [rank, columns]);
        call.Share(in plan, &AddRows, LowRankSums.Pieces(in plan));
        LowRankSums.AddUp(call, in plan, isTransposed: false);
    }

    private static void AddRows(in LowRankPlan plan, long piece)
    {
        var first = (int)piece * LowRankRows.OfPiece;
        LowRankRows.Compute(in plan, first, Math.Min(first + LowRankRows.OfPiece, plan.Rows));
    }
}

using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;
using OrtPeft.Kernels.Products;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>The gradient of one head's attention.</summary>
internal static unsafe class AttentionBackward
{
    private const int Rows = StridedTile.Rows;
    private const int Block = AttentionPlan.Block;

    public static void Run(in AttentionPlan plan, long piece)
    {
        var (keys, d, width) = (plan.Keys, plan.Width, StridedTile.Filled(plan.Width));
        var filled = AttentionPlan.Filled(keys);
        var scratch = new KernelScratch(
            ((long)filled * (d + (3 * width) + (2 * Block))) + (Block * (d + (2 * width))) + (Rows * width), parts: 10);
        var k = scratch.Take(filled * width);
        var v = scratch.Take(filled * d);
        plan.K.Of(piece, plan.Heads).Copy(0, keys, d, plan.Scale, k, filled, width);
        plan.V.Of(piece, plan.Heads).Copy(0, keys, d, 1, v, filled, d);
        var dK = scratch.Take(filled * width);
        var dV = scratch.Take(filled * width);
        new Span<float>(dK, filled * width).Clear();
        new Span<float>(dV, filled * width).Clear();
        var dS = scratch.Take(filled * Block);
        var factors = scratch.Take(filled * Block);
        var q = scratch.Take(Block * width);
        var dO = scratch.Take(Block * width);
        var turned = scratch.Take(Block * d);
        var tile = scratch.Take(Rows * width);
        var (ofQ, ofO) = (plan.Q.Of(piece, plan.Heads), plan.O.Of(piece, plan.Heads));
        var dQ = plan.DQ.Of(piece, plan.Heads);
        var p = plan.P + (piece * plan.NumbersOfHead);
        for (var first = 0; first < plan.Queries; first += Block)
        {
            var queries = Math.Min(Block, plan.Queries - first);
            var seen = plan.SeenOf(first / Block);
            ofQ.Copy(first, queries, d, plan.Scale, q, Block, width);
            ofO.Copy(first, queries, d, 1, dO, Block, width);
            Squares.TurnRows(dO, width, Block, d, turned, Block);
            HeadProducts.Scores(seen, d, v, turned, dS);
            var (plain, masked) = plan.Factors.Turn(piece, first, queries, Math.Min(seen, keys), factors, Block);
            ScoreColumns.Gradient(dS, p, seen, plain, masked, factors);
            HeadProducts.Queries(seen, dS, k, width, dQ, first, queries, d, tile);
            HeadProducts.AddToKeys(seen, p, dO, width, dV);
            HeadProducts.AddToKeys(seen, dS, q, width, dK);
            p += (nint)seen * Block;
        }

        plan.DK.Of(piece, plan.Heads).Put(dK, width, 0, keys, d);
        plan.DV.Of(piece, plan.Heads).Put(dV, width, 0, keys, d);
    }
}

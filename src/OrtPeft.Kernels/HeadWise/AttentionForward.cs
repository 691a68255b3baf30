using System.Runtime.Intrinsics.X86;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;
using OrtPeft.Kernels.Products;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Attention of one head.</summary>
internal static unsafe class AttentionForward
{
    private const int Rows = StridedTile.Rows;
    private const int Block = AttentionPlan.Block;

    public static void Run(in AttentionPlan plan, long piece)
    {
        var (keys, d, width) = (plan.Keys, plan.Width, StridedTile.Filled(plan.Width));
        var filled = AttentionPlan.Filled(keys);
        var scratch = new KernelScratch(
            ((long)filled * (d + width + (2 * Block))) + (2 * Block * d) + (Rows * width), parts: 7);
        var k = scratch.Take(filled * d);
        var v = scratch.Take(filled * width);
        plan.K.Of(piece / plan.HeadsOfGroup, plan.Groups).Copy(0, keys, d, 1, k, filled, d);
        plan.V.Of(piece / plan.HeadsOfGroup, plan.Groups).Copy(0, keys, d, 1, v, filled, width);
        var scores = scratch.Take(filled * Block);
        var mask = scratch.Take(filled * Block);
        var rows = scratch.Take(Block * d);
        var turned = scratch.Take(Block * d);
        var tile = scratch.Take(Rows * width);
        var (q, o) = (plan.Q.Of(piece, plan.Heads), plan.O.Of(piece, plan.Heads));
        var p = plan.P + (piece * plan.NumbersOfHead);
        var sink = plan.Sinks == null ? float.NegativeInfinity : plan.Sinks[piece % plan.Heads];
        for (var first = 0; first < plan.Queries; first += Block)
        {
            var queries = Math.Min(Block, plan.Queries - first);
            var seen = plan.SeenOf(first / Block);
            q.Copy(first, queries, d, plan.Scale, rows, Block, d);
            Squares.TurnRows(rows, d, Block, d, turned, Block);
            HeadProducts.Scores(seen, d, k, turned, scores);
            if (plan.SoftCap != 0)
                ScoreColumns.Cap(scores, seen, plan.SoftCap);
            var (plain, masked) = plan.Mask.Turn(piece, first, queries, Math.Min(seen, keys), mask, Block);
            ScoreColumns.Softmax(scores, plain, masked, mask, queries, plan.IsGuarded, sink, p);
            var rest = (seen - plain - masked) * Block;
            new Span<float>(scores + (seen * Block) - rest, rest).Clear();
            new Span<float>(p + (seen * Block) - rest, rest).Clear();
            HeadProducts.Queries(seen, scores, v, width, o, first, queries, d, tile);
            p += (nint)seen * Block;
        }

        // What went past the caches must be in memory before another thread reads it.
        if (Sse.IsSupported)
            Sse.StoreFence();
    }
}

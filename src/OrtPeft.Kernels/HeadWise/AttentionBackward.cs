using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;
using OrtPeft.Kernels.Products;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>The gradient of the attention of one head of keys, and of all heads of queries that it serves.</summary>
internal static unsafe class AttentionBackward
{
    private const int Rows = StridedTile.Rows;
    private const int Block = AttentionPlan.Block;

    public static void Run(in AttentionPlan plan, long piece)
    {
        var (keys, d, width) = (plan.Keys, plan.Width, StridedTile.Filled(plan.Width));
        var filled = AttentionPlan.Filled(keys);
        var ofCap = plan.SoftCap == 0 ? 0 : ((long)filled * (d + Block)) + (Block * d);
        var scratch = new KernelScratch(
            ((long)filled * (d + (3 * width) + (2 * Block))) + (Block * (d + (2 * width))) + (Rows * width) + ofCap,
            parts: 13);
        var place = new Place
        {
            K = scratch.Take(filled * width),
            V = scratch.Take(filled * d),
            DK = scratch.Take(filled * width),
            DV = scratch.Take(filled * width),
            DS = scratch.Take(filled * Block),
            Factors = scratch.Take(filled * Block),
            Q = scratch.Take(Block * width),
            DO = scratch.Take(Block * width),
            Turned = scratch.Take(Block * d),
            Tile = scratch.Take(Rows * width),
        };
        if (plan.SoftCap != 0)
        {
            place.KRows = scratch.Take(filled * d);
            place.TurnedQ = scratch.Take(Block * d);
            place.S = scratch.Take(filled * Block);
            plan.K.Of(piece, plan.Groups).Copy(0, keys, d, 1, place.KRows, filled, d);
        }

        plan.K.Of(piece, plan.Groups).Copy(0, keys, d, plan.Scale, place.K, filled, width);
        plan.V.Of(piece, plan.Groups).Copy(0, keys, d, 1, place.V, filled, d);
        new Span<float>(place.DK, filled * width).Clear();
        new Span<float>(place.DV, filled * width).Clear();
        for (var head = piece * plan.HeadsOfGroup; head < (piece + 1) * plan.HeadsOfGroup; head++)
            AddHead(in plan, in place, head);
        plan.DK.Of(piece, plan.Groups).Put(place.DK, width, 0, keys, d);
        plan.DV.Of(piece, plan.Groups).Put(place.DV, width, 0, keys, d);
    }

    /// <summary>Writes dQ of a head of queries, and adds to the gradients of its keys and values.</summary>
    private static void AddHead(in AttentionPlan plan, in Place place, long head)
    {
        var (keys, d, width) = (plan.Keys, plan.Width, StridedTile.Filled(plan.Width));
        var (ofQ, ofO) = (plan.Q.Of(head, plan.Heads), plan.O.Of(head, plan.Heads));
        var dQ = plan.DQ.Of(head, plan.Heads);
        var p = plan.P + (head * plan.NumbersOfHead);
        for (var first = 0; first < plan.Queries; first += Block)
        {
            var queries = Math.Min(Block, plan.Queries - first);
            var seen = plan.SeenOf(first / Block);
            ofQ.Copy(first, queries, d, plan.Scale, place.Q, Block, width);
            ofO.Copy(first, queries, d, 1, place.DO, Block, width);
            Squares.TurnRows(place.DO, width, Block, d, place.Turned, Block);
            HeadProducts.Scores(seen, d, place.V, place.Turned, place.DS);
            var (plain, masked) = plan.Factors.Turn(head, first, queries, Math.Min(seen, keys), place.Factors, Block);
            ScoreColumns.Gradient(place.DS, p, seen, plain, masked, place.Factors);
            if (plan.SoftCap != 0)
            {
                Squares.TurnRows(place.Q, width, Block, d, place.TurnedQ, Block);
                HeadProducts.Scores(seen, d, place.KRows, place.TurnedQ, place.S);
                ScoreColumns.CapGradient(place.DS, place.S, seen, plan.SoftCap);
            }

            HeadProducts.Queries(seen, place.DS, place.K, width, dQ, first, queries, d, place.Tile);
            HeadProducts.AddToKeys(seen, p, place.DO, width, place.DV);
            HeadProducts.AddToKeys(seen, place.DS, place.Q, width, place.DK);
            p += (nint)seen * Block;
        }
    }

    /// <summary>A thread's memory for one piece; the last three, for scores once more, where they have a cap.</summary>
    private struct Place
    {
        public float* K, V, DK, DV, DS, Factors, Q, DO, Turned, Tile, KRows, TurnedQ, S;
    }
}

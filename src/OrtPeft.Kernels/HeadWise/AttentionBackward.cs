using System.Numerics.Tensors;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>The part of attention's gradient that a chunk of one head's keys and a chunk of the queries that it serves,
/// of all their heads, have with each other. Scores are computed again.</summary>
/// <seealso href="https://arxiv.org/abs/2307.08691">Dao, FlashAttention-2, algorithm 2.</seealso>
internal static unsafe class AttentionBackward
{
    private const int Block = AttentionPlan.Block;
    private const int Chunk = AttentionPlan.Chunk;

    public static void Run(in AttentionPlan plan, long piece)
    {
        var (behind, group) = Math.DivRem(piece, plan.Batch * plan.Groups);
        var row = plan.Chunks - 1 - (int)behind;
        var column = (plan.Phase - row + plan.Chunks) % plan.Chunks;
        var (first, keys) = (row * Chunk, plan.KeysFrom(column * Chunk));
        // In the first phase, what meets nothing has sums of 0.
        if (plan.Phase > 0 && !Meet(in plan, group, first, keys))
            return;
        var (d, width) = (plan.Width, StridedTile.Filled(plan.Width));
        var ofCap = plan.SoftCap == 0 ? 0 : Chunk * Block;
        var scratch = new KernelScratch(
            (Chunk * ((4L * width) + (3 * Block))) + (Block * ((3L * width) + (2 * d) + 3)) + ofCap, parts: 14);
        var place = new Place
        {
            K = scratch.Take(Chunk * width),
            V = scratch.Take(Chunk * width),
            DK = scratch.Take(Chunk * width),
            DV = scratch.Take(Chunk * width),
            P = scratch.Take(Chunk * Block),
            DS = scratch.Take(Chunk * Block),
            Mask = scratch.Take(Chunk * Block),
            Capped = scratch.Take(ofCap),
            Q = scratch.Take(Block * width),
            DO = scratch.Take(Block * width),
            DQ = scratch.Take(Block * width),
            TurnedQ = scratch.Take(Block * d),
            TurnedDO = scratch.Take(Block * d),
            Columns = new QueryColumns(scratch.Take(3 * Block)),
        };
        var filled = AttentionPlan.Filled(keys.Count);
        plan.K.Of(group, plan.Groups).Copy(keys.First, keys.Count, d, 1, place.K, filled, width);
        plan.V.Of(group, plan.Groups).Copy(keys.First, keys.Count, d, 1, place.V, filled, width);
        var (dK, dV) = (plan.DK.Of(group, plan.Groups), plan.DV.Of(group, plan.Groups));
        Begin(in plan, dK, keys, place.DK, width);
        Begin(in plan, dV, keys, place.DV, width);
        for (var head = group * plan.HeadsOfGroup; head < (group + 1) * plan.HeadsOfGroup; head++)
        {
            for (var block = 0; block < plan.QueriesFrom(first); block += Block)
                AddBlock(in plan, in place, head, first + block, keys);
        }

        dK.Put(place.DK, width, keys.First, keys.Count, d);
        dV.Put(place.DV, width, keys.First, keys.Count, d);
    }

    /// <summary>Whether any of a chunk of queries sees any of a chunk of keys.</summary>
    private static bool Meet(in AttentionPlan plan, long group, int first, KeyRange keys)
    {
        var queries = plan.QueriesFrom(first);
        for (var i = 0; i < plan.HeadsOfGroup && queries > 0; i++)
        {
            var head = (group * plan.HeadsOfGroup) + i;
            if (plan.Mask.SeenByAny(head, first, queries).Within(keys).Count > 0)
                return true;
        }

        return false;
    }

    /// <summary>Sums begin with 0, or with what earlier phases have found.</summary>
    private static void Begin(in AttentionPlan plan, StridedRows sums, KeyRange keys, float* to, int width)
    {
        var filled = AttentionPlan.Filled(keys.Count);
        if (plan.Phase == 0)
            new Span<float>(to, filled * width).Clear();
        else
            sums.Copy(keys.First, keys.Count, plan.Width, 1, to, filled, width);
    }

    /// <summary>Adds what a block of one head's queries has with a chunk of keys.</summary>
    private static void AddBlock(in AttentionPlan plan, in Place place, long head, int first, KeyRange chunk)
    {
        var (d, width) = (plan.Width, StridedTile.Filled(plan.Width));
        var queries = Math.Min(Block, plan.Queries - first);
        var dQ = plan.DQ.Of(head, plan.Heads);
        var keys = plan.Mask.SeenByAny(head, first, queries).Within(chunk);
        if (keys.Count == 0)
        {
            if (plan.Phase == 0)
                dQ.Clear(first, queries, d);
            return;
        }

        var filled = AttentionPlan.Filled(keys.Count);
        keys = keys with { End = Math.Min(keys.First + filled, chunk.End) };
        var skipped = (nint)(keys.First - chunk.First) * width;
        place.Columns.Read(in plan, head, first, queries);
        plan.Q.Of(head, plan.Heads).Copy(first, queries, d, plan.Scale, place.Q, Block, width);
        Squares.TurnRows(place.Q, width, Block, d, place.TurnedQ, Block);
        HeadProducts.Scores(filled, d, place.K + skipped, width, place.TurnedQ, place.P);
        plan.DO.Of(head, plan.Heads).Copy(first, queries, d, 1, place.DO, Block, width);
        Squares.TurnRows(place.DO, width, Block, d, place.TurnedDO, Block);
        HeadProducts.Scores(filled, d, place.V + skipped, width, place.TurnedDO, place.DS);
        Differentiate(in plan, in place, head, first, queries, keys);
        ScoreColumns.ClearRest(place.P, keys.Count, filled);
        ScoreColumns.ClearRest(place.DS, keys.Count, filled);
        HeadProducts.AddToKeys(filled, place.P, place.DO, width, place.DV + skipped);
        HeadProducts.AddToKeys(filled, place.DS, place.Q, width, place.DK + skipped);
        HeadProducts.Queries(filled, place.DS, place.K + skipped, width, queries, place.DQ, adds: false);
        var rows = new Span<float>(place.DQ, queries * width);
        TensorPrimitives.Multiply(rows, plan.Scale, rows);
        if (plan.Phase == 0)
            dQ.Put(place.DQ, width, first, queries, d);
        else
            dQ.Add(place.DQ, width, first, queries, d);
    }

    /// <summary>Scores become probabilities, and the gradient of those becomes that of scores.</summary>
    private static void Differentiate(
        in AttentionPlan plan, in Place place, long head, int first, int queries, KeyRange keys)
    {
        var isCapped = plan.SoftCap != 0;
        if (isCapped)
        {
            ScoreColumns.Cap(place.P, keys.Count, plan.SoftCap);
            new Span<float>(place.P, keys.Count * Block).CopyTo(new Span<float>(place.Capped, keys.Count * Block));
        }

        var plain = plan.Mask.Turn(head, first, queries, keys, place.Mask, Block);
        ScoreColumns.AddMask(place.P, plain, keys.Count, place.Mask);
        ScoreColumns.Gradient(place.P, place.DS, keys.Count, in place.Columns);
        plain = plan.Factors.Turn(head, first, queries, keys, place.Mask, Block);
        ScoreColumns.Multiply(place.DS, plain, keys.Count, place.Mask);
        if (isCapped)
            ScoreColumns.CapGradient(place.DS, place.Capped, keys.Count, plan.SoftCap);
    }

    /// <summary>A thread's memory for one piece; capped scores only where they have a cap.</summary>
    private struct Place
    {
        public float* K, V, DK, DV, P, DS, Mask, Capped, Q, DO, DQ, TurnedQ, TurnedDO;
        public QueryColumns Columns;
    }
}

using System.Numerics.Tensors;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.HeadWise;

/// <summary>Attention of a chunk of one head's queries: chunk after chunk of keys adds to sums of values, which shrink
/// whenever a larger score is found.</summary>
/// <seealso href="https://arxiv.org/abs/1805.02867">Milakov and Gimelshein, online softmax.</seealso>
/// <seealso href="https://arxiv.org/abs/2307.08691">Dao, FlashAttention-2, algorithm 1.</seealso>
internal static unsafe class AttentionForward
{
    private const int Block = AttentionPlan.Block;
    private const int Chunk = AttentionPlan.Chunk;

    public static void Run(in AttentionPlan plan, long piece)
    {
        // Under a causal mask the last chunks have most to do: others fill up what they leave.
        var (behind, head) = Math.DivRem(piece, plan.Batch * plan.Heads);
        var first = (plan.QueryChunks - 1 - (int)behind) * Chunk;
        var queries = plan.QueriesFrom(first);
        var (d, width) = (plan.Width, StridedTile.Filled(plan.Width));
        var scratch = new KernelScratch((Chunk * (d + (3L * width) + (2 * Block) + 2)) + (Block * (d + 1)), parts: 10);
        var place = new Place
        {
            Turned = scratch.Take(Chunk * d),
            K = scratch.Take(Chunk * width),
            V = scratch.Take(Chunk * width),
            Sums = scratch.Take(Chunk * width),
            Scores = scratch.Take(Chunk * Block),
            Mask = scratch.Take(Chunk * Block),
            Softmax = new OnlineSoftmax(scratch.Take(Chunk), scratch.Take(Chunk), scratch.Take(Block)),
        };
        TurnQueries(in plan, head, first, queries, scratch.Take(Block * d), place.Turned);
        place.Softmax.Begin(plan.Sinks == null ? float.NegativeInfinity : plan.Sinks[head % plan.Heads]);

        var seen = plan.Mask.SeenByAny(head, first, queries);
        for (var key = seen.First / Chunk * Chunk; key < seen.End; key += Chunk)
        {
            var keys = plan.KeysFrom(key);
            CopyKeys(in plan, in place, head, keys);
            for (var block = 0; block < queries; block += Block)
                AddKeys(in plan, in place, head, first, block, keys);
        }

        Finish(in plan, in place, head, first, queries);
    }

    private static void TurnQueries(
        in AttentionPlan plan, long head, int first, int queries, float* rows, float* turned)
    {
        var (q, d) = (plan.Q.Of(head, plan.Heads), plan.Width);
        for (var block = 0; block < queries; block += Block, turned += (nint)Block * d)
        {
            q.Copy(first + block, Math.Min(Block, queries - block), d, plan.Scale, rows, Block, d);
            Squares.TurnRows(rows, d, Block, d, turned, Block);
        }
    }

    private static void CopyKeys(in AttentionPlan plan, in Place place, long head, KeyRange keys)
    {
        var (group, d, width) = (head / plan.HeadsOfGroup, plan.Width, StridedTile.Filled(plan.Width));
        var filled = AttentionPlan.Filled(keys.Count);
        plan.K.Of(group, plan.Groups).Copy(keys.First, keys.Count, d, 1, place.K, filled, width);
        plan.V.Of(group, plan.Groups).Copy(keys.First, keys.Count, d, 1, place.V, filled, width);
    }

    /// <summary>Adds to a block's sums what it sees of a chunk of keys.</summary>
    private static void AddKeys(
        in AttentionPlan plan, in Place place, long head, int first, int block, KeyRange chunk)
    {
        var (d, width) = (plan.Width, StridedTile.Filled(plan.Width));
        var queries = Math.Min(Block, plan.QueriesFrom(first) - block);
        var seen = plan.Mask.SeenByAny(head, first + block, queries);
        var keys = seen.Within(chunk);
        if (keys.Count == 0)
            return;
        var filled = AttentionPlan.Filled(keys.Count);
        keys = keys with { End = Math.Min(keys.First + filled, chunk.End) };
        var skipped = (nint)(keys.First - chunk.First) * width;
        HeadProducts.Scores(filled, d, place.K + skipped, width, place.Turned + ((nint)block * d), place.Scores);
        if (plan.SoftCap != 0)
            ScoreColumns.Cap(place.Scores, filled, plan.SoftCap);
        var plain = plan.Mask.Turn(head, first + block, queries, keys, place.Mask, Block);
        ScoreColumns.AddMask(place.Scores, plain, keys.Count, place.Mask);
        var sums = place.Sums + ((nint)block * width);
        var adds = keys.First > seen.First;
        place.Softmax.Add(block, place.Scores, keys.Count);
        ScoreColumns.ClearRest(place.Scores, keys.Count, filled);
        if (adds)
            place.Softmax.Shrink(sums, queries, width);
        HeadProducts.Queries(filled, place.Scores, place.V + skipped, width, queries, sums, adds);
    }

    /// <summary>Sums of values become the result.</summary>
    private static void Finish(in AttentionPlan plan, in Place place, long head, int first, int queries)
    {
        var (d, width) = (plan.Width, StridedTile.Filled(plan.Width));
        var max = place.Softmax.Max;
        var sum = place.Softmax.Sum;
        for (var query = 0; query < queries; query++)
        {
            var row = new Span<float>(place.Sums + ((nint)query * width), d);
            // Of a query that −∞ hides all keys from, the sum is 0.
            if (plan.Keys == 0 || (plan.IsGuarded && !(sum[query] > 0)))
            {
                (max[query], sum[query]) = (0, float.PositiveInfinity);
                row.Clear();
            }

            TensorPrimitives.Multiply(row, 1 / sum[query], row);
        }

        plan.O.Of(head, plan.Heads).Put(place.Sums, width, first, queries, d);
        var at = (head * plan.Queries) + first;
        new Span<float>(max, queries).CopyTo(new Span<float>(plan.Max + at, queries));
        new Span<float>(sum, queries).CopyTo(new Span<float>(plan.Sum + at, queries));
    }

    /// <summary>A thread's memory for one piece: rows of keys and sums of values as whole tiles, queries as columns,
    /// block after block.</summary>
    private struct Place
    {
        public float* Turned, K, V, Sums, Scores, Mask;
        public OnlineSoftmax Softmax;
    }
}

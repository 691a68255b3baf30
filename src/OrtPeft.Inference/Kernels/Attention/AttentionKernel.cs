using System.Numerics.Tensors;
using OrtPeft.Inference.Kernels.Products;

namespace OrtPeft.Inference.Kernels.Attention;

/// <summary>
/// Attention, softmax(Q·Kᵀ + mask)·V, and its gradient, head by head: what a query does not see is not computed.
/// </summary>
internal static unsafe class AttentionKernel
{
    private const int Rows = StridedTile.Rows;

    /// <summary>Queries whose part of the keys' gradients is added up at once.</summary>
    private const int Block = 64;

    /// <summary>
    /// Q [batch, heads, queries, d], K and V [batch, heads, keys, d], a mask that is added, each axis of
    /// [batch, heads, queries, keys] full or 1 → O [batch, heads, queries, d] and
    /// P [batch, heads, queries, keys].
    /// </summary>
    public static void Forward(KernelCall call)
    {
        var (q, k) = (call.Dims(0), call.Dims(1));
        var plan = OfHeads(call, q: 0);
        plan.O = AttentionOperand.OfHeads(call.Output(0, q), q);
        Forward(call, plan, [q[0], q[1], q[2], k[2]], mask: 3);
    }

    /// <summary>
    /// dO [batch, heads, queries, d], Q, K, V, P, and what dS is multiplied with, each axis full or 1 →
    /// dQ, dK, dV.
    /// </summary>
    public static void Backward(KernelCall call)
    {
        var (q, k) = (call.Dims(1), call.Dims(2));
        var plan = OfHeads(call, q: 1);
        KernelShapes.RequireEqual(q, call.Dims(0));
        plan.O = AttentionOperand.OfHeads(call.Input<float>(0), q);
        plan.DQ = AttentionOperand.OfHeads(call.Output(0, q), q);
        plan.DK = AttentionOperand.OfHeads(call.Output(1, k), k);
        plan.DV = AttentionOperand.OfHeads(call.Output(2, k), k);
        Backward(call, plan, [q[0], q[1], q[2], k[2]], p: 4);
    }

    /// <summary>
    /// X [batch, positions, 3·heads·d], heads [] int64, what queries are multiplied with [], and a mask that is added →
    /// O [batch, positions, heads·d] and P [batch, heads, positions, positions].
    /// </summary>
    public static void ForwardOfRows(KernelCall call)
    {
        var dims = call.Dims(0);
        var plan = OfRows(call, x: 0);
        dims[2] = plan.Heads * plan.Width;
        plan.O = AttentionOperand.OfRows(call.Output(0, dims), plan.Queries, plan.Heads, plan.Width, parts: 1, part: 0);
        Forward(call, plan, [dims[0], plan.Heads, dims[1], dims[1]], mask: 3);
    }

    /// <summary>
    /// dO [batch, positions, heads·d], X, heads, what queries are multiplied with, P, and what dS is multiplied with →
    /// dX.
    /// </summary>
    public static void BackwardOfRows(KernelCall call)
    {
        var dims = call.Dims(1);
        var plan = OfRows(call, x: 1);
        KernelShapes.RequireEqual([dims[0], dims[1], plan.Heads * plan.Width], call.Dims(0));
        plan.O = AttentionOperand.OfRows(
            call.Input<float>(0), plan.Queries, plan.Heads, plan.Width, parts: 1, part: 0);
        (plan.DQ, plan.DK, plan.DV) = Parts(call.Output(0, dims), in plan);
        Backward(call, plan, [dims[0], plan.Heads, dims[1], dims[1]], p: 4);
    }

    private static AttentionPlan OfHeads(KernelCall call, int q)
    {
        var (queries, keys) = (call.Dims(q), call.Dims(q + 1));
        if (queries.Length != 4)
            throw new ArgumentException($"the queries have {queries.Length} axes, not 4.");
        KernelShapes.RequireEqual(keys, call.Dims(q + 2));
        KernelShapes.RequireEqual([queries[0], queries[1], keys.Length == 4 ? keys[2] : 0, queries[3]], keys);
        return new AttentionPlan
        {
            Queries = checked((int)queries[2]),
            Keys = checked((int)keys[2]),
            Width = checked((int)queries[3]),
            Heads = queries[1],
            Scale = 1,
            Q = AttentionOperand.OfHeads(call.Input<float>(q), queries),
            K = AttentionOperand.OfHeads(call.Input<float>(q + 1), keys),
            V = AttentionOperand.OfHeads(call.Input<float>(q + 2), keys),
        };
    }

    private static AttentionPlan OfRows(KernelCall call, int x)
    {
        var (dims, heads) = (call.Dims(x), *call.Input<long>(x + 1));
        var plan = new AttentionPlan { Heads = heads, Scale = *call.Input<float>(x + 2) };
        plan.Width = HeadsKernel.WidthOf(dims, heads);
        plan.Queries = plan.Keys = checked((int)dims[1]);
        (plan.Q, plan.K, plan.V) = Parts(call.Input<float>(x), in plan);
        return plan;
    }

    private static (AttentionOperand Q, AttentionOperand K, AttentionOperand V) Parts(
        float* x, in AttentionPlan plan)
    {
        var q = AttentionOperand.OfRows(x, plan.Queries, plan.Heads, plan.Width, HeadsKernel.Parts, 0);
        var k = AttentionOperand.OfRows(x, plan.Queries, plan.Heads, plan.Width, HeadsKernel.Parts, 1);
        return (q, k, AttentionOperand.OfRows(x, plan.Queries, plan.Heads, plan.Width, HeadsKernel.Parts, 2));
    }

    private static void Forward(KernelCall call, AttentionPlan plan, long[] scores, int mask)
    {
        var work = new KernelWork { Body = &ForwardHead, B = call.Input<float>(mask) };
        SoftmaxKernel.Broadcast(ref work, scores, call.Dims(mask));
        SoftmaxKernel.CountSeen(ref work, call.Dims(mask));
        plan.P = call.Output(1, scores);
        work.Attention = &plan;
        call.Share(work, scores[0] * scores[1]);
    }

    private static void Backward(KernelCall call, AttentionPlan plan, long[] scores, int p)
    {
        KernelShapes.RequireEqual(scores, call.Dims(p));
        var work = new KernelWork { Body = &BackwardHead, C = call.Input<float>(p + 1) };
        SoftmaxKernel.Broadcast(ref work, scores, call.Dims(p + 1));
        plan.P = call.Input<float>(p);
        work.Attention = &plan;
        call.Share(work, scores[0] * scores[1]);
    }

    private static void ForwardHead(in KernelWork work, long piece)
    {
        ref readonly var plan = ref *work.Attention;
        var (queries, keys, d) = (plan.Queries, plan.Keys, plan.Width);
        var (filled, width) = (StridedTile.Filled(keys), StridedTile.Filled(d));
        var scratch = new KernelScratch(((long)filled * (d + (2 * Rows) + width)) + ((d + width) * Rows), parts: 6);
        var turnedK = Panels(ref scratch, plan.K.Of(piece, plan.Heads), keys, d);
        var v = Rectangle(ref scratch, plan.V.Of(piece, plan.Heads), keys, d);
        var strip = scratch.Take(d * Rows);
        var scores = scratch.Take(filled * Rows);
        var turnedP = scratch.Take(filled * Rows);
        var tiles = scratch.Take(width * Rows);
        var (q, o) = (plan.Q.Of(piece, plan.Heads), plan.O.Of(piece, plan.Heads));
        for (var first = 0; first < queries; first += Rows)
        {
            var rows = Math.Min(Rows, queries - first);
            var seen = 0;
            for (var row = 0; row < rows; row++)
                seen = Math.Max(seen, SoftmaxKernel.Seen(in work, piece, first + row));
            Squares.TurnRows(q.At(first), q.Stride, rows, d, strip, Rows);
            var queriesOfStrip = new Span<float>(strip, d * Rows);
            TensorPrimitives.Multiply(queriesOfStrip, plan.Scale, queriesOfStrip);
            for (var key = 0; key < seen; key += StridedTile.Width)
                StridedTile.Multiply(
                    d, strip, Rows, turnedK + ((nint)key * d), StridedTile.Width, scores + key, filled, adds: false);
            var p = plan.P + (((piece * queries) + first) * keys);
            for (var row = 0; row < rows; row++)
                SoftmaxKernel.Row(in work, piece, first + row, scores + (row * filled), p + ((long)row * keys));
            Squares.TurnRows(p, keys, rows, seen, turnedP, Rows);
            MultiplyRows(seen, turnedP, v, width, tiles);
            RowCopies.Copy(tiles, width, d, rows, o.At(first), o.Stride);
        }
    }

    private static void BackwardHead(in KernelWork work, long piece)
    {
        ref readonly var plan = ref *work.Attention;
        var head = new Gradients(in plan, piece);
        for (var start = 0; start < plan.Queries; start += Block)
        {
            var count = Math.Min(Block, plan.Queries - start);
            var seen = 0;
            for (var first = 0; first < count; first += Rows)
                seen = Math.Max(seen, BackwardStrip(in work, in head, piece, start, first));
            AddToKeys(in head, start, count, seen);
        }

        var (dK, dV) = (plan.DK.Of(piece, plan.Heads), plan.DV.Of(piece, plan.Heads));
        RowCopies.Copy(head.DK, head.Width, plan.Width, plan.Keys, dK.At(0), dK.Stride);
        RowCopies.Copy(head.DV, head.Width, plan.Width, plan.Keys, dV.At(0), dV.Stride);
    }

    /// <summary>P, dS and dQ of up to eight queries of a block; returns how many keys they see.</summary>
    private static int BackwardStrip(in KernelWork work, in Gradients head, long piece, int start, int first)
    {
        ref readonly var plan = ref *work.Attention;
        var (keys, d, query) = (plan.Keys, plan.Width, start + first);
        var rows = Math.Min(Rows, plan.Queries - query);
        var place = (piece * plan.Queries) + query;
        var p = head.P + (first * head.Stride);
        var dS = head.DS + (first * head.Stride);
        RowCopies.Lengthen(plan.P + (place * keys), keys, keys, rows, p, head.Stride);
        var seen = Seen(p, keys, rows, head.Stride);
        Squares.TurnRows(head.DO + (query * head.Width), head.Width, rows, d, head.Strip, Rows);
        for (var key = 0; key < seen; key += StridedTile.Width)
            StridedTile.Multiply(
                d, head.Strip, Rows, head.TurnedV + ((nint)key * d), StridedTile.Width, dS + key, head.Stride,
                adds: false);
        for (var row = 0; row < rows; row++)
        {
            var ofRow = row * head.Stride;
            SoftmaxKernel.GradientRow(in work, piece, query + row, dS + ofRow, p + ofRow, seen);
            new Span<float>(dS + ofRow + seen, head.Stride - seen).Clear();
        }

        Squares.TurnRows(dS, head.Stride, rows, seen, head.Turned, Rows);
        MultiplyRows(seen, head.Turned, head.K, head.Width, head.DQ);
        var dQ = plan.DQ.Of(piece, plan.Heads);
        var sums = new Span<float>(head.DQ, rows * head.Width);
        TensorPrimitives.Multiply(sums, plan.Scale, sums);
        RowCopies.Copy(head.DQ, head.Width, d, rows, dQ.At(query), dQ.Stride);
        return seen;
    }

    /// <summary>What a block of queries adds to the gradients of the keys that it sees, and of their values.</summary>
    private static void AddToKeys(in Gradients head, int start, int count, int seen)
    {
        var width = head.Width;
        for (var key = 0; key < seen; key += Rows)
        {
            for (var column = 0; column < width; column += StridedTile.Width)
            {
                var (from, to) = ((start * width) + column, (key * width) + column);
                StridedTile.Multiply(
                    count, head.P + key, head.Stride, head.DO + from, width, head.DV + to, width, adds: true);
                StridedTile.Multiply(
                    count, head.DS + key, head.Stride, head.Q + from, width, head.DK + to, width, adds: true);
            }
        }
    }

    /// <summary>One head's operands in the order that tiles read, and room for what is computed of it.</summary>
    private readonly ref struct Gradients
    {
        /// <summary>How far rows of <see cref="P"/> and <see cref="DS"/> are apart: were it a power of two, they would
        /// fall into the same few sets of the first cache.</summary>
        public readonly int Stride;

        /// <summary>d, filled up.</summary>
        public readonly int Width;

        /// <summary>Of a block of queries: [<see cref="Block"/>, keys].</summary>
        public readonly float* P, DS;

        public readonly float* TurnedV, K, Q, DO, Strip, Turned, DQ, DK, DV;

        public Gradients(in AttentionPlan plan, long piece)
        {
            var (queries, keys, d) = (plan.Queries, plan.Keys, plan.Width);
            var filled = StridedTile.Filled(keys);
            Stride = filled + KernelScratch.CacheLine;
            Width = StridedTile.Filled(d);
            var scratch = new KernelScratch(
                ((long)Stride * (d + (2 * Block) + Rows + (3 * Width))) + (2L * queries * Width) + ((d + Width) * Rows),
                parts: 11);
            TurnedV = Panels(ref scratch, plan.V.Of(piece, plan.Heads), keys, d);
            K = Rectangle(ref scratch, plan.K.Of(piece, plan.Heads), keys, d);
            Q = Rectangle(ref scratch, plan.Q.Of(piece, plan.Heads), queries, d, plan.Scale);
            DO = Rectangle(ref scratch, plan.O.Of(piece, plan.Heads), queries, d);
            P = scratch.Take(Block * Stride);
            DS = scratch.Take(Block * Stride);
            Strip = scratch.Take(d * Rows);
            Turned = scratch.Take(filled * Rows);
            DQ = scratch.Take(Width * Rows);
            DK = scratch.Take(filled * Width);
            DV = scratch.Take(filled * Width);
            new Span<float>(DK, filled * Width).Clear();
            new Span<float>(DV, filled * Width).Clear();
        }
    }

    /// <summary>Eight rows of a product whose left operand is turned.</summary>
    private static void MultiplyRows(int depth, float* turned, float* b, int width, float* result)
    {
        for (var column = 0; column < width; column += StridedTile.Width)
            StridedTile.Multiply(depth, turned, Rows, b + column, width, result + column, width, adds: false);
    }

    /// <summary>X [rows, d] in panels of <see cref="StridedTile.Width"/> rows, each turned; zeros fill the last.
    /// </summary>
    private static float* Panels(ref KernelScratch scratch, HeadRows x, int rows, int d)
    {
        const int Width = StridedTile.Width;
        var turned = scratch.Take(StridedTile.Filled(rows) * d);
        for (var row = 0; row < rows; row += Width)
            Squares.TurnRows(x.At(row), x.Stride, Math.Min(Width, rows - row), d, turned + ((nint)row * d), Width);
        return turned;
    }

    /// <summary>X [rows, d] with rows of whole tiles, one after the other: itself, or a copy, and multiplied.</summary>
    private static float* Rectangle(ref KernelScratch scratch, HeadRows x, int rows, int d, float factor = 1)
    {
        var width = StridedTile.Filled(d);
        if (width == x.Stride && factor == 1)
            return x.At(0);
        var copy = scratch.Take(rows * width);
        RowCopies.Lengthen(x.At(0), x.Stride, d, rows, copy, width);
        if (factor != 1)
            TensorPrimitives.Multiply(new Span<float>(copy, rows * width), factor, new Span<float>(copy, rows * width));
        return copy;
    }

    /// <summary>How many keys there are in rows of probabilities, to the last that is not 0.</summary>
    private static int Seen(float* p, int keys, int rows, int stride)
    {
        var seen = 0;
        for (var row = 0; row < rows; row++, p += stride)
            seen = Math.Max(seen, new ReadOnlySpan<int>(p, keys).LastIndexOfAnyExcept(0) + 1);
        return seen;
    }
}

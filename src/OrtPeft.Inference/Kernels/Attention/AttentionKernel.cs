using OrtPeft.Inference.Kernels.Products;

namespace OrtPeft.Inference.Kernels.Attention;

/// <summary>
/// Attention, softmax(Q·Kᵀ + mask)·V, and its gradient, head by head: what a query does not see is not computed.
/// </summary>
internal static unsafe class AttentionKernel
{
    private const int Rows = AttentionTile.Rows;

    /// <summary>Queries whose part of the keys' gradients is added up at once.</summary>
    private const int Block = 64;

    /// <summary>
    /// Q [batch, heads, queries, d], K and V [batch, heads, keys, d], a mask that is added, each axis of
    /// [batch, heads, queries, keys] full or 1 → O [batch, heads, queries, d] and
    /// P [batch, heads, queries, keys].
    /// </summary>
    public static void Forward(KernelCall call)
    {
        var q = call.Dims(0);
        var k = call.Dims(1);
        RequireOperands(q, k, call.Dims(2));
        long[] scores = [q[0], q[1], q[2], k[2]];
        var work = new KernelWork { Body = &ForwardHead, B = call.Input<float>(3), Y = null };
        SoftmaxKernel.Broadcast(ref work, scores, call.Dims(3));
        SoftmaxKernel.CountSeen(ref work, call.Dims(3));
        var plan = Plan(q, k);
        plan.Q = call.Input<float>(0);
        plan.K = call.Input<float>(1);
        plan.V = call.Input<float>(2);
        plan.O = call.Output(0, q);
        plan.P = call.Output(1, scores);
        work.Attention = &plan;
        call.Share(work, q[0] * q[1]);
    }

    /// <summary>
    /// dO [batch, heads, queries, d], Q, K, V, P, and what dS is multiplied with, each axis full or 1 →
    /// dQ, dK, dV.
    /// </summary>
    public static void Backward(KernelCall call)
    {
        var q = call.Dims(1);
        var k = call.Dims(2);
        RequireOperands(q, k, call.Dims(3));
        KernelShapes.RequireEqual(q, call.Dims(0));
        long[] scores = [q[0], q[1], q[2], k[2]];
        KernelShapes.RequireEqual(scores, call.Dims(4));
        var work = new KernelWork { Body = &BackwardHead, C = call.Input<float>(5) };
        SoftmaxKernel.Broadcast(ref work, scores, call.Dims(5));
        var plan = Plan(q, k);
        plan.O = call.Input<float>(0);
        plan.Q = call.Input<float>(1);
        plan.K = call.Input<float>(2);
        plan.V = call.Input<float>(3);
        plan.P = call.Input<float>(4);
        plan.DQ = call.Output(0, q);
        plan.DK = call.Output(1, k);
        plan.DV = call.Output(2, k);
        work.Attention = &plan;
        call.Share(work, q[0] * q[1]);
    }

    private static void RequireOperands(long[] q, long[] k, long[] v)
    {
        if (q.Length != 4)
            throw new ArgumentException($"the queries have {q.Length} axes, not 4.");
        KernelShapes.RequireEqual(k, v);
        KernelShapes.RequireEqual([q[0], q[1], k.Length == 4 ? k[2] : 0, q[3]], k);
    }

    private static AttentionPlan Plan(long[] q, long[] k) =>
        new() { Queries = checked((int)q[2]), Keys = checked((int)k[2]), Width = checked((int)q[3]) };

    private static void ForwardHead(in KernelWork work, long piece)
    {
        ref readonly var plan = ref *work.Attention;
        var (queries, keys, d) = (plan.Queries, plan.Keys, plan.Width);
        var (filled, width) = (AttentionTile.Filled(keys), AttentionTile.Filled(d));
        var scratch = new KernelScratch(((long)filled * (d + (2 * Rows) + width)) + ((d + width) * Rows), parts: 6);
        var turnedK = Panels(ref scratch, plan.K + (piece * keys * d), keys, d);
        var v = Rectangle(ref scratch, plan.V + (piece * keys * d), keys, d);
        var strip = scratch.Take(d * Rows);
        var scores = scratch.Take(filled * Rows);
        var turnedP = scratch.Take(filled * Rows);
        var o = scratch.Take(width * Rows);
        for (var first = 0; first < queries; first += Rows)
        {
            var rows = Math.Min(Rows, queries - first);
            var seen = 0;
            for (var row = 0; row < rows; row++)
                seen = Math.Max(seen, SoftmaxKernel.Seen(in work, piece, first + row));
            Squares.TurnRows(plan.Q + (((piece * queries) + first) * d), d, rows, d, strip, Rows);
            for (var key = 0; key < seen; key += AttentionTile.Width)
                AttentionTile.Multiply(
                    d, strip, Rows, turnedK + ((nint)key * d), AttentionTile.Width, scores + key, filled, adds: false);
            var p = plan.P + (((piece * queries) + first) * keys);
            for (var row = 0; row < rows; row++)
                SoftmaxKernel.Row(in work, piece, first + row, scores + (row * filled), p + ((long)row * keys));
            Squares.TurnRows(p, keys, rows, seen, turnedP, Rows);
            MultiplyRows(seen, turnedP, v, width, o, rows, plan.O + (((piece * queries) + first) * d), d);
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

        CopyOut(head.DK, head.Width, plan.DK + (piece * plan.Keys * plan.Width), plan.Width, plan.Keys);
        CopyOut(head.DV, head.Width, plan.DV + (piece * plan.Keys * plan.Width), plan.Width, plan.Keys);
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
        CopyRows(plan.P + (place * keys), keys, rows, p, head.Stride);
        var seen = Seen(p, keys, rows, head.Stride);
        Squares.TurnRows(plan.O + (place * d), d, rows, d, head.Strip, Rows);
        for (var key = 0; key < seen; key += AttentionTile.Width)
            AttentionTile.Multiply(
                d, head.Strip, Rows, head.TurnedV + ((nint)key * d), AttentionTile.Width, dS + key, head.Stride,
                adds: false);
        for (var row = 0; row < rows; row++)
        {
            var ofRow = row * head.Stride;
            SoftmaxKernel.GradientRow(in work, piece, query + row, dS + ofRow, p + ofRow, seen);
            new Span<float>(dS + ofRow + seen, head.Stride - seen).Clear();
        }

        Squares.TurnRows(dS, head.Stride, rows, seen, head.Turned, Rows);
        MultiplyRows(seen, head.Turned, head.K, head.Width, head.DQ, rows, plan.DQ + (place * d), d);
        return seen;
    }

    /// <summary>What a block of queries adds to the gradients of the keys that it sees, and of their values.</summary>
    private static void AddToKeys(in Gradients head, int start, int count, int seen)
    {
        var width = head.Width;
        for (var key = 0; key < seen; key += Rows)
        {
            for (var column = 0; column < width; column += AttentionTile.Width)
            {
                var (from, to) = ((start * width) + column, (key * width) + column);
                AttentionTile.Multiply(
                    count, head.P + key, head.Stride, head.DO + from, width, head.DV + to, width, adds: true);
                AttentionTile.Multiply(
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
            var filled = AttentionTile.Filled(keys);
            Stride = filled + KernelScratch.CacheLine;
            Width = AttentionTile.Filled(d);
            var scratch = new KernelScratch(
                ((long)Stride * (d + (2 * Block) + Rows + (3 * Width))) + (2L * queries * Width) + ((d + Width) * Rows),
                parts: 11);
            TurnedV = Panels(ref scratch, plan.V + (piece * keys * d), keys, d);
            K = Rectangle(ref scratch, plan.K + (piece * keys * d), keys, d);
            Q = Rectangle(ref scratch, plan.Q + (piece * queries * d), queries, d);
            DO = Rectangle(ref scratch, plan.O + (piece * queries * d), queries, d);
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
    private static void MultiplyRows(
        int depth, float* turned, float* b, int width, float* tiles, int rows, float* result, int d)
    {
        for (var column = 0; column < width; column += AttentionTile.Width)
            AttentionTile.Multiply(depth, turned, Rows, b + column, width, tiles + column, width, adds: false);
        CopyOut(tiles, width, result, d, rows);
    }

    /// <summary>X [rows, d] in panels of <see cref="AttentionTile.Width"/> rows, each turned; zeros fill the last.
    /// </summary>
    private static float* Panels(ref KernelScratch scratch, float* x, int rows, int d)
    {
        var turned = scratch.Take(AttentionTile.Filled(rows) * d);
        for (var row = 0; row < rows; row += AttentionTile.Width)
            Squares.TurnRows(
                x + ((long)row * d), d, Math.Min(AttentionTile.Width, rows - row), d, turned + ((nint)row * d),
                AttentionTile.Width);
        return turned;
    }

    /// <summary>X [rows, d] with rows of whole tiles: itself, or a copy.</summary>
    private static float* Rectangle(ref KernelScratch scratch, float* x, int rows, int d)
    {
        var width = AttentionTile.Filled(d);
        if (width == d)
            return x;
        var copy = scratch.Take(rows * width);
        CopyRows(x, d, rows, copy, width);
        return copy;
    }

    /// <summary>Copies rows into longer ones, which zeros fill.</summary>
    private static void CopyRows(float* from, int length, int rows, float* to, int stride)
    {
        for (var row = 0; row < rows; row++, from += length, to += stride)
        {
            new ReadOnlySpan<float>(from, length).CopyTo(new Span<float>(to, length));
            new Span<float>(to + length, stride - length).Clear();
        }
    }

    /// <summary>How many keys there are in rows of probabilities, to the last that is not 0.</summary>
    private static int Seen(float* p, int keys, int rows, int stride)
    {
        var seen = 0;
        for (var row = 0; row < rows; row++, p += stride)
            seen = Math.Max(seen, new ReadOnlySpan<int>(p, keys).LastIndexOfAnyExcept(0) + 1);
        return seen;
    }

    private static void CopyOut(float* from, int width, float* to, int d, int rows)
    {
        for (var row = 0; row < rows; row++, from += width, to += d)
            new ReadOnlySpan<float>(from, d).CopyTo(new Span<float>(to, d));
    }
}

using OrtPeft.Inference.Kernels.Products;

namespace OrtPeft.Inference.Kernels.Attention;

/// <summary>
/// Attention, softmax(Q·Kᵀ + mask)·V, and its gradient, head by head: what a query does not see is not computed.
/// </summary>
internal static unsafe class AttentionKernel
{
    private const int Rows = AttentionTile.Rows;

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
        var scratch = new AttentionScratch(((long)filled * (d + (2 * Rows) + width)) + ((d + width) * Rows), parts: 6);
        var turnedK = Turned(ref scratch, plan.K + (piece * keys * d), keys, d);
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
        const int Block = 64, CacheLine = 16;
        ref readonly var plan = ref *work.Attention;
        var (queries, keys, d) = (plan.Queries, plan.Keys, plan.Width);
        var (filled, width) = (AttentionTile.Filled(keys), AttentionTile.Filled(d));
        // Rows that are a power of two apart fall into the same few sets of the first cache.
        var stride = filled + CacheLine;
        var scratch = new AttentionScratch(
            ((long)stride * (d + (2 * Block) + Rows + (3 * width))) + (2L * queries * width) + ((d + width) * Rows),
            parts: 10);
        var turnedV = Turned(ref scratch, plan.V + (piece * keys * d), keys, d);
        var k = Rectangle(ref scratch, plan.K + (piece * keys * d), keys, d);
        var q = Rectangle(ref scratch, plan.Q + (piece * queries * d), queries, d);
        var dO = Rectangle(ref scratch, plan.O + (piece * queries * d), queries, d);
        var p = scratch.Take(Block * stride);
        var dS = scratch.Take(Block * stride);
        var strip = scratch.Take(d * Rows);
        var turned = scratch.Take(filled * Rows);
        var dQ = scratch.Take(width * Rows);
        var dK = scratch.Take(filled * width);
        var dV = scratch.Take(filled * width);
        new Span<float>(dK, filled * width).Clear();
        new Span<float>(dV, filled * width).Clear();
        for (var start = 0; start < queries; start += Block)
        {
            var count = Math.Min(Block, queries - start);
            var most = 0;
            for (var first = 0; first < count; first += Rows)
            {
                var rows = Math.Min(Rows, count - first);
                var query = start + first;
                var from = plan.P + (((piece * queries) + query) * keys);
                var seen = CopyRows(from, keys, rows, p + (first * stride), stride);
                most = Math.Max(most, seen);
                Squares.TurnRows(plan.O + (((piece * queries) + query) * d), d, rows, d, strip, Rows);
                var gradient = dS + (first * stride);
                for (var key = 0; key < seen; key += AttentionTile.Width)
                    AttentionTile.Multiply(
                        d, strip, Rows, turnedV + ((nint)key * d), AttentionTile.Width, gradient + key, stride,
                        adds: false);
                for (var row = 0; row < rows; row++)
                {
                    SoftmaxKernel.GradientRow(
                        in work, piece, query + row, gradient + (row * stride), p + ((first + row) * stride), seen);
                    new Span<float>(gradient + (row * stride) + seen, filled - seen).Clear();
                }

                Squares.TurnRows(gradient, stride, rows, seen, turned, Rows);
                MultiplyRows(seen, turned, k, width, dQ, rows, plan.DQ + (((piece * queries) + query) * d), d);
            }

            for (var key = 0; key < most; key += Rows)
            {
                for (var column = 0; column < width; column += AttentionTile.Width)
                {
                    var place = (key * width) + column;
                    AttentionTile.Multiply(
                        count, p + key, stride, dO + (start * width) + column, width, dV + place, width, adds: true);
                    AttentionTile.Multiply(
                        count, dS + key, stride, q + (start * width) + column, width, dK + place, width, adds: true);
                }
            }
        }

        CopyOut(dK, width, plan.DK + (piece * keys * d), d, keys);
        CopyOut(dV, width, plan.DV + (piece * keys * d), d, keys);
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
    private static float* Turned(ref AttentionScratch scratch, float* x, int rows, int d)
    {
        var turned = scratch.Take(AttentionTile.Filled(rows) * d);
        for (var row = 0; row < rows; row += AttentionTile.Width)
            Squares.TurnRows(
                x + ((long)row * d), d, Math.Min(AttentionTile.Width, rows - row), d, turned + ((nint)row * d),
                AttentionTile.Width);
        return turned;
    }

    /// <summary>X [rows, d] with rows of whole tiles: itself, or a copy.</summary>
    private static float* Rectangle(ref AttentionScratch scratch, float* x, int rows, int d)
    {
        var width = AttentionTile.Filled(d);
        if (width == d)
            return x;
        var copy = scratch.Take(rows * width);
        for (var row = 0; row < rows; row++)
        {
            var target = new Span<float>(copy + ((nint)row * width), width);
            new ReadOnlySpan<float>(x + ((long)row * d), d).CopyTo(target);
            target[d..].Clear();
        }

        return copy;
    }

    /// <summary>Copies rows of probabilities into longer ones; returns how many keys there are, to the last that is
    /// not 0.</summary>
    private static int CopyRows(float* from, int keys, int rows, float* to, int stride)
    {
        var seen = 0;
        for (var row = 0; row < rows; row++, from += keys, to += stride)
        {
            var p = new ReadOnlySpan<float>(from, keys);
            p.CopyTo(new Span<float>(to, keys));
            new Span<float>(to + keys, stride - keys).Clear();
            seen = Math.Max(seen, p.LastIndexOfAnyExcept(0f) + 1);
        }

        return seen;
    }

    private static void CopyOut(float* from, int width, float* to, int d, int rows)
    {
        for (var row = 0; row < rows; row++, from += width, to += d)
            new ReadOnlySpan<float>(from, d).CopyTo(new Span<float>(to, d));
    }
}

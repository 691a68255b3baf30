using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.LowRank;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.Products;

/// <summary>
/// Products with a packed constant matrix, after Goto and van de Geijn ("Anatomy of High-Performance Matrix
/// Multiplication", 2008): X is packed strip by strip, then every panel is multiplied, block by block, with all strips.
/// What is added to the product and what is computed from it is done tile by tile, before a tile leaves the cache.
/// </summary>
internal static unsafe class PackedProduct
{
    private const int Width = PackedMatrix.Width;
    private const int Rows = ProductTile.Rows;

    /// <summary>Kept, since the next product needs as much.</summary>
    [ThreadStatic]
    private static float[]? _strips, _lowStrips;

    /// <summary>Computes a product.</summary>
    /// <param name="call">Whose threads compute.</param>
    /// <param name="plan">What to compute.</param>
    public static void Compute(KernelCall call, ProductPlan plan)
    {
        if (IsRowOfCodes(in plan))
            call.Share(in plan, &MultiplyRow, PackedMatrix.Panels(plan.Columns));
        else if (plan.Codes.Exist && plan.Codes.AreForBf16)
            Compute<Bf16CodeFormat>(call, plan);
        else if (plan.Codes.Exist)
            Compute<CodeFormat>(call, plan);
        else if (plan.Pairs != null)
            Compute<Bf16Format>(call, plan);
        else
            Compute<FloatFormat>(call, plan);
    }

    private static bool IsRowOfCodes(in ProductPlan plan) => plan is { Rows: 1, IsTransposed: false, Codes.Exist: true }
        && !plan.Codes.AreForBf16 && plan.X != null && plan.LowRank == null && plan.Finish == null;

    private static void Compute<TFormat>(KernelCall call, ProductPlan plan)
        where TFormat : IPanelFormat
    {
        if (plan.Rows == 0)
            return;
        if (plan.StripsOfX == null)
            plan.Strips = KeptMemory.Of(
                ref _strips, plan.StripCount * Rows * Math.Min(ProductPlan.Stretch, plan.Filled(plan.Depth)));
        if (plan.LowRank != null)
            plan.LowStrips = KeptMemory.Of(ref _lowStrips, plan.StripCount * Rows * plan.LowRank->EvenRank);
        for (plan.Start = 0; plan.Start < plan.Depth; plan.Start += ProductPlan.Stretch)
        {
            plan.Length = plan.Filled(Math.Min(ProductPlan.Stretch, plan.Depth - plan.Start));
            if (plan.StripsOfX == null)
                call.Share(
                    in plan, &PackPiece<TFormat>, (plan.StripCount + plan.StripsOfPacking - 1) / plan.StripsOfPacking);
            else
                plan.Strips = plan.StripsOfX + (plan.Start * plan.StripCount * Rows);
            var pieces = PackedMatrix.Panels(plan.Columns) * plan.PiecesOfPanel;
            call.Share(in plan, &MultiplyPiece<TFormat>, pieces);
        }
    }

    private static void PackPiece<TFormat>(in ProductPlan plan, long piece)
        where TFormat : IPanelFormat
    {
        var first = piece * plan.StripsOfPacking;
        var end = Math.Min(first + plan.StripsOfPacking, plan.StripCount);
        var hasLow = plan.LowRank != null && plan.Start == 0;
        if (hasLow)
            LowRankRows.Compute(in *plan.LowRank, (int)first * Rows, (int)Math.Min(end * Rows, plan.Rows));
        for (var strip = first; strip < end; strip++)
        {
            PackStrip<TFormat>(in plan, strip);
            if (hasLow)
                PackLowStrip(in plan, strip);
        }
    }

    /// <summary>Eight rows of X, [block][strip][words of the block][row]; what is not there is 0.</summary>
    private static void PackStrip<TFormat>(in ProductPlan plan, long strip)
        where TFormat : IPanelFormat
    {
        var rows = plan.RowsOf(strip);
        var x = plan.X + (strip * Rows * plan.Depth) + plan.Start;
        for (var start = 0L; start < plan.Length; start += ProductPlan.Block)
        {
            var length = (int)Math.Min(ProductPlan.Block, plan.Length - start);
            var target = StripOf<TFormat>(in plan, strip, start, length);
            var there = (int)Math.Min(length, plan.Depth - plan.Start - start);
            TFormat.PackRows(x + start, (nint)plan.Depth, rows, there, target);
            var filled = TFormat.WordsOf(there);
            new Span<float>(target + (filled * Rows), (TFormat.WordsOf(length) - filled) * Rows).Clear();
        }
    }

    private static float* StripOf<TFormat>(in ProductPlan plan, long strip, long start, int length)
        where TFormat : IPanelFormat => plan.Strips
            + (TFormat.WordsOf((int)start) * plan.StripCount * Rows) + (strip * TFormat.WordsOf(length) * Rows);

    private static void PackLowStrip(in ProductPlan plan, long strip)
    {
        ref readonly var low = ref *plan.LowRank;
        var target = plan.LowStrips + (strip * low.EvenRank * Rows);
        Squares.TurnRows(
            low.U + (strip * Rows * low.Rank), low.Rank, plan.RowsOf(strip), low.Rank, target, Rows);
        var u = new Span<float>(target, low.Rank * Rows);
        TensorPrimitives.Multiply(u, low.Factor, u);
        new Span<float>(target + u.Length, (low.EvenRank - low.Rank) * Rows).Clear();
    }

    private static void MultiplyPiece<TFormat>(in ProductPlan plan, long piece)
        where TFormat : IPanelFormat
    {
        const int Numbers = 2 * ProductPlan.Block * Width;
        var (panel, part) = Math.DivRem(piece, plan.PiecesOfPanel);
        var scratch = new KernelScratch(Numbers + (LowRankPlan.Most * Width), parts: 2);
        var room = scratch.Take(Numbers);
        var low = LowPanel(in plan, panel, scratch);
        for (var start = 0L; start < plan.Length; start += ProductPlan.Block)
        {
            var length = (int)Math.Min(ProductPlan.Block, plan.Length - start);
            var block = plan.IsTransposed
                ? TFormat.TurnedBlock(in plan, panel, start, length, room, out var next)
                : TFormat.Block(in plan, panel, start, length, room, out next);
            MultiplyBlock<TFormat>(in plan, panel, part, start, length, block, low, next);
        }

        // What went past the caches must be in memory before another thread reads it.
        if (Sse.IsSupported && plan.Finish != null)
            Sse.StoreFence();
    }

    /// <summary>LoRA's second matrix as a panel [r, filled up to even, <see cref="Width"/>]; null without one.
    /// </summary>
    private static float* LowPanel(in ProductPlan plan, long panel, KernelScratch scratch)
    {
        if (plan.Factors == null)
            return null;
        var (rank, width) = (plan.LowRank->Rank, plan.WidthOf(panel));
        var low = scratch.Take(plan.LowRank->EvenRank * Width);
        new Span<float>(low, plan.LowRank->EvenRank * Width).Clear();
        if (plan.IsTransposed)
            RowCopies.Copy(plan.Factors + (panel * Width), (nint)plan.Columns, width, rank, low, Width);
        else
            Squares.TurnRows(plan.Factors + (panel * Width * rank), rank, width, rank, low, Width);
        return low;
    }

    /// <summary>One row alone with a panel of codes: a token that is generated.</summary>
    [SkipLocalsInit]
    private static void MultiplyRow(in ProductPlan plan, long panel)
    {
        var sums = stackalloc float[Width];
        plan.Codes.MultiplyRow(panel, plan.X, sums);
        var (first, width) = (panel * Width, plan.WidthOf(panel));
        var row = new Span<float>(sums, width);
        if (plan.Bias != null)
            TensorPrimitives.Add(row, new ReadOnlySpan<float>(plan.Bias + first, width), row);
        if (plan.Addend != null)
            TensorPrimitives.Add(row, new ReadOnlySpan<float>(plan.Addend + first, width), row);
        row.CopyTo(new Span<float>(plan.Y + first, width));
    }

    /// <summary>Multiplies a block of a panel with the strips of a piece.</summary>
    private static void MultiplyBlock<TFormat>(
        in ProductPlan plan, long panel, long part, long start, int length, float* block, float* low, BlockAhead next)
        where TFormat : IPanelFormat
    {
        var width = plan.WidthOf(panel);
        var (first, end) = (part * plan.StripsOfPiece, Math.Min((part + 1) * plan.StripsOfPiece, plan.StripCount));
        var isFirst = plan.Start + start == 0;
        var isLast = plan.Start + start + length >= plan.Depth;
        var stripsOfRun = Math.Max(1, (end - first) / next.Runs);
        var bytes = next.Bytes / (int)stripsOfRun;
        for (var strip = first; strip < end; strip++)
        {
            var (run, place) = Math.DivRem(strip - first, stripsOfRun);
            var ahead = next.Start + (run * next.Stride) + (place * bytes);
            var a = StripOf<TFormat>(in plan, strip, start, length);
            var c = (strip * Rows * plan.Columns) + (panel * Width);
            var rows = plan.RowsOf(strip);
            var tile = new FinishedTile { Place = c, Column = (int)panel * Width, Rows = rows, Columns = width };
            tile.Strip = plan.StripsOfY == null ? null : plan.StripsOfY + plan.PlaceInStrips(strip, tile.Column);
            tile.Sums = plan.Y == null
                ? new StridedRows(tile.Strip, Width)
                : new StridedRows(plan.Y + c, (nint)plan.Columns);
            var result = new TileResult { C = tile.Sums.Start, Stride = tile.Sums.Stride };
            result.Sum = isFirst ? At(plan.Addend, c) : result.C;
            result.SumStride = isFirst ? (nint)plan.Columns : result.Stride;
            result.Bias = isFirst ? At(plan.Bias, panel * Width) : null;
            // What the tile will read once it is multiplied.
            if (isFirst && plan.Addend != null)
                new StridedRows(plan.Addend + c, (nint)plan.Columns).AskFor(0, rows, Width);
            if (isLast && plan.Hidden != null)
                new StridedRows(plan.Hidden + c, (nint)plan.Columns).AskFor(0, rows, Width);
            MultiplyTile<TFormat>(length, a, block, in result, rows, width, ahead, bytes);
            if (isLast)
                EndTile(in plan, strip, in tile, low);
        }
    }

    private static float* At(float* start, long place) => start == null ? null : start + place;

    /// <summary>Adds LoRA's product to a tile that is complete without, and does with it what is to be done.
    /// </summary>
    private static void EndTile(in ProductPlan plan, long strip, in FinishedTile tile, float* low)
    {
        if (low != null)
        {
            var result = new TileResult { C = tile.Sums.Start, Stride = tile.Sums.Stride };
            result.Sum = result.C;
            result.SumStride = result.Stride;
            var depth = plan.LowRank->EvenRank;
            var u = plan.LowStrips + (strip * depth * Rows);
            MultiplyTile<FloatFormat>(depth, u, low, in result, tile.Rows, tile.Columns, (byte*)u, 0);
        }

        if (plan.Finish != null)
            plan.Finish(in plan, in tile);
    }

    private static void MultiplyTile<TFormat>(
        int depth, float* a, float* b, in TileResult result, int rows, int width, byte* ahead, int bytes)
        where TFormat : IPanelFormat
    {
        if (rows == Rows && width == Width)
            TFormat.Multiply(depth, a, b, in result, ahead, bytes);
        else
            MultiplyAtEdge<TFormat>(depth, a, b, in result, rows, width);
    }

    /// <summary>A tile that leaves the result's rows or columns.</summary>
    [SkipLocalsInit]
    private static void MultiplyAtEdge<TFormat>(
        int depth, float* a, float* b, in TileResult result, int rows, int width)
        where TFormat : IPanelFormat
    {
        var tile = stackalloc float[Rows * Width];
        TFormat.Multiply(depth, a, b, new TileResult { C = tile, Stride = Width }, (byte*)b, 0);
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < width; column++)
            {
                var sum = tile[(row * Width) + column];
                if (result.Sum != null)
                    sum += result.Sum[(row * result.SumStride) + column];
                if (result.Bias != null)
                    sum += result.Bias[column];
                result.C[(row * result.Stride) + column] = sum;
            }
        }
    }
}

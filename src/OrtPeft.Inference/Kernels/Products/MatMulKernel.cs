using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using OrtPeft.Adapters.Artifacts.Speed.Kernels;

namespace OrtPeft.Inference.Kernels.Products;

/// <summary>
/// Products with a packed constant matrix, after Goto and van de Geijn ("Anatomy of High-Performance Matrix
/// Multiplication", 2008): X is packed strip by strip, then every panel is multiplied, block by block, with all strips.
/// </summary>
internal static unsafe class MatMulKernel
{
    private const int Width = PackedMatrix.Width;
    private const int Rows = ProductTile.Rows;

    /// <summary>256 rows, whose elements for one block stay in the second cache.</summary>
    private const long StripsOfPiece = 32;

    /// <summary>512 rows, for each piece turns the squares that it reads.</summary>
    private const long StripsOfTurnedPiece = 64;

    /// <summary>X's packed stretch; kept, since the next product needs as much.</summary>
    [ThreadStatic]
    private static float[]? _strips;

    /// <summary>Whether the processor has the registers that the tiles are made for. Elsewhere they compute the same,
    /// but ONNX Runtime is faster.</summary>
    public static bool IsFast => Avx512F.IsSupported;

    /// <summary>X [..., rows], W packed, [rows, columns] int64 → X·W [..., columns].</summary>
    public static void Forward(KernelCall call) => Run(call, isTransposed: false);

    /// <summary>X [..., columns], W packed, [rows, columns] int64 → X·Wᵀ [..., rows].</summary>
    public static void Transposed(KernelCall call) => Run(call, isTransposed: true);

    private static void Run(KernelCall call, bool isTransposed)
    {
        var dims = call.Dims(0);
        KernelShapes.RequireVector(2, call.Dims(2));
        var (rows, columns) = (call.Input<long>(2)[0], call.Input<long>(2)[1]);
        KernelShapes.RequireEqual(
            [PackedMatrix.Panels(columns), PackedMatrix.Panels(rows) * Width, Width], call.Dims(1));
        var (depth, width) = isTransposed ? (columns, rows) : (rows, columns);
        if (dims.Length == 0 || dims[^1] != depth)
            throw new ArgumentException(
                $"[{string.Join(", ", dims)}] does not end in {depth}, the matrix's "
                + (isTransposed ? "columns." : "rows."));
        var plan = new ProductPlan
        {
            Rows = KernelShapes.Count(dims[..^1]),
            Depth = depth,
            Columns = width,
            Height = PackedMatrix.Panels(rows) * Width,
            StripsOfPiece = isTransposed ? StripsOfTurnedPiece : StripsOfPiece,
        };
        dims[^1] = width;
        var work = new KernelWork { A = call.Input<float>(0), B = call.Input<float>(1), Y = call.Output(0, dims) };
        work.Plan = &plan;
        if (plan.Rows > 0)
            Multiply(call, work, isTransposed);
    }

    private static void Multiply(KernelCall call, KernelWork work, bool isTransposed)
    {
        var plan = work.Plan;
        var most = Math.Min(ProductPlan.Stretch, Filled(plan->Depth, isTransposed));
        work.C = KeptMemory.Of(ref _strips, plan->Strips * Rows * most);
        for (plan->Start = 0; plan->Start < plan->Depth; plan->Start += ProductPlan.Stretch)
        {
            plan->Length = Filled(Math.Min(ProductPlan.Stretch, plan->Depth - plan->Start), isTransposed);
            work.Body = &PackStrip;
            call.Share(work, plan->Strips);
            work.Body = isTransposed ? &MultiplyTurnedPiece : &MultiplyPiece;
            call.Share(work, PackedMatrix.Panels(plan->Columns) * plan->PiecesOfPanel);
        }
    }

    /// <summary>A length of sums that whole tiles, or whole squares, add up.</summary>
    private static long Filled(long length, bool isTransposed) => isTransposed
        ? PackedMatrix.Panels(length) * Width
        : (length + ProductTile.Unroll - 1) / ProductTile.Unroll * ProductTile.Unroll;

    /// <summary>Eight rows of X, [block][strip][element of the block][row]; what is not there is 0.</summary>
    private static void PackStrip(in KernelWork work, long strip)
    {
        ref readonly var plan = ref *work.Plan;
        var rows = (int)Math.Min(Rows, plan.Rows - (strip * Rows));
        var x = work.A + (strip * Rows * plan.Depth) + plan.Start;
        for (var start = 0L; start < plan.Length; start += ProductPlan.Block)
        {
            var length = (int)Math.Min(ProductPlan.Block, plan.Length - start);
            var target = work.C + (start * plan.Strips * Rows) + (strip * length * Rows);
            var there = (int)Math.Min(length, plan.Depth - plan.Start - start);
            Squares.TurnRows(x + start, (nint)plan.Depth, rows, there, target, Rows);
            new Span<float>(target + (there * Rows), (length - there) * Rows).Clear();
        }
    }

    private static void MultiplyPiece(in KernelWork work, long piece)
    {
        ref readonly var plan = ref *work.Plan;
        var (panel, part) = Math.DivRem(piece, plan.PiecesOfPanel);
        for (var start = 0L; start < plan.Length; start += ProductPlan.Block)
        {
            var length = (int)Math.Min(ProductPlan.Block, plan.Length - start);
            var block = work.B + (((panel * plan.Height) + plan.Start + start) * Width);
            var size = length * Width;
            var next = new Ahead { Start = (byte*)(block + size), Bytes = size * sizeof(float), Runs = 1 };
            MultiplyBlock(in work, panel, part, start, length, block, next);
        }
    }

    private static void MultiplyTurnedPiece(in KernelWork work, long piece)
    {
        const int Numbers = ProductPlan.Block * Width;
        ref readonly var plan = ref *work.Plan;
        var (panel, part) = Math.DivRem(piece, plan.PiecesOfPanel);
        var block = new KernelScratch(Numbers, parts: 1).Take(Numbers);
        for (var start = 0L; start < plan.Length; start += ProductPlan.Block)
        {
            var length = (int)Math.Min(ProductPlan.Block, plan.Length - start);
            var stride = plan.Height * Width;
            var square = work.B + (((plan.Start + start) / Width * stride) + (panel * Width * Width));
            for (var i = 0; i < length; i += Width, square += stride)
                TurnSquare(square, block + (i * Width));
            if (start + length == plan.Length)
                square = work.B + ((plan.Start / Width * stride) + ((panel + 1) * Width * Width));
            var next = new Ahead
            {
                Start = (byte*)square,
                Bytes = Width * Width * sizeof(float),
                Runs = ProductPlan.Block / Width,
                Stride = (nint)stride * sizeof(float),
            };
            MultiplyBlock(in work, panel, part, start, length, block, next);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TurnSquare(float* square, float* turned)
    {
        for (var row = 0; row < Width; row += Squares.Large)
        {
            for (var column = 0; column < Width; column += Squares.Large)
                Squares.TurnLarge(square + (row * Width) + column, Width, turned + (column * Width) + row, Width);
        }
    }

    /// <summary>Multiplies a block of a panel with the strips of a piece.</summary>
    private static void MultiplyBlock(
        in KernelWork work, long panel, long part, long start, int length, float* block, Ahead next)
    {
        ref readonly var plan = ref *work.Plan;
        var width = (int)Math.Min(Width, plan.Columns - (panel * Width));
        var (first, end) = (part * plan.StripsOfPiece, Math.Min((part + 1) * plan.StripsOfPiece, plan.Strips));
        var adds = plan.Start + start > 0;
        var stripsOfRun = Math.Max(1, (end - first) / next.Runs);
        var bytes = next.Bytes / (int)stripsOfRun;
        for (var strip = first; strip < end; strip++)
        {
            var (run, place) = Math.DivRem(strip - first, stripsOfRun);
            var ahead = next.Start + (run * next.Stride) + (place * bytes);
            var a = work.C + (start * plan.Strips * Rows) + (strip * length * Rows);
            var c = work.Y + (strip * Rows * plan.Columns) + (panel * Width);
            var rows = (int)Math.Min(Rows, plan.Rows - (strip * Rows));
            if (rows == Rows && width == Width)
                ProductTile.Multiply(length, a, block, c, (nint)plan.Columns, adds, ahead, bytes);
            else
                MultiplyAtEdge(length, a, block, c, plan.Columns, adds, rows, width);
        }
    }

    /// <summary>What the next block will read: runs of bytes, a stride apart.</summary>
    private struct Ahead
    {
        public byte* Start;
        public int Bytes, Runs;
        public nint Stride;
    }

    /// <summary>A tile that leaves the result's rows or columns.</summary>
    [SkipLocalsInit]
    private static void MultiplyAtEdge(
        int length, float* a, float* b, float* c, long stride, bool adds, int rows, int width)
    {
        var tile = stackalloc float[Rows * Width];
        ProductTile.Multiply(length, a, b, tile, Width, adds: false, (byte*)b, 0);
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < width; column++)
            {
                ref var sum = ref c[(row * stride) + column];
                sum = (adds ? sum : 0) + tile[(row * Width) + column];
            }
        }
    }
}

using OrtPeft.Kernels.Native;
using OrtPeft.Kernels.Operators;

namespace OrtPeft.Kernels.Products;

/// <summary>
/// A frozen head's loss and its gradient, block by block of rows: of the logits, and of their probabilities, no more is
/// ever in memory than a block's. Rewrites make it of a product, <see cref="CrossEntropy"/> and the product back.
/// </summary>
public static unsafe class HeadLoss
{
    /// <summary>Numbers of a block's logits, 32 MiB, unless that were fewer rows than <see cref="LeastRows"/>.</summary>
    private const long BlockNumbers = 8 << 20;

    /// <summary>Rows for which it still pays to read the whole matrix twice.</summary>
    private const long LeastRows = 64;

    /// <summary>With P = softmax(X·W): P·Wᵀ, and the logarithms of P at the targets.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "HeadLoss",
        Signature = OpSignature.Parse(
            "X[m, rows], W:any[**], dims:int64[2], targets:int64[m, 1] → dX[m, rows], logP[m, 1]"),
        Run = RunForward,
    };

    /// <summary>A block's logits; kept, since the next run needs as many.</summary>
    [ThreadStatic]
    private static float[]? _logits;

    private static void RunForward(KernelCall call)
    {
        var dims = call.Dims(0);
        var (rows, depth) = (dims[0], dims[1]);
        var x = call.Input<float>(0);
        var targets = call.Input<long>(3);
        var dX = call.Output(0, dims);
        var logP = call.Output(1, [rows, 1]);
        var forward = PackedMatMul.PlanOf(call, isTransposed: false, dims);
        if (forward.Depth != depth)
            throw new ArgumentException($"rows of {depth} numbers do not meet a matrix of {forward.Depth} rows.");
        var vocabulary = forward.Columns;
        var length = BlockRows(rows, vocabulary);
        var backward = PackedMatMul.PlanOf(call, isTransposed: true, dims);
        var logits = KeptMemory.Of(ref _logits, length * vocabulary);
        forward.Y = logits;
        backward.X = logits;
        for (var start = 0L; start < rows; start += length)
        {
            var count = Math.Min(length, rows - start);
            forward.Rows = count;
            forward.X = x + (start * depth);
            PackedProduct.Compute(call, forward);
            CrossEntropy.Compute(call, logits, targets + start, logits, logP + start, count, vocabulary);
            backward.Rows = count;
            backward.Y = dX + (start * depth);
            PackedProduct.Compute(call, backward);
        }
    }

    /// <summary>Rows of a block: of blocks of one length, whole strips but for the last.</summary>
    private static long BlockRows(long rows, long vocabulary)
    {
        var most = Math.Max(LeastRows, BlockNumbers / Math.Max(vocabulary, 1));
        var blocks = Math.Max(1, (rows + most - 1) / most);
        return ProductPlan.StripsOf((rows + blocks - 1) / blocks) * ProductTile.Rows;
    }
}

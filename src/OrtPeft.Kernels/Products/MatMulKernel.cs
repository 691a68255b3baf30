using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.LowRank;
using OrtPeft.Kernels.Native;
using OrtPeft.Kernels.Operators;

namespace OrtPeft.Kernels.Products;

/// <summary>The operators that multiply with a packed constant matrix W [rows, columns]; dims is [rows, columns] int64.
/// Inputs in brackets may be missing.</summary>
internal static unsafe class MatMulKernel
{
    /// <summary>LoRA's B, turned; kept, since the next layer needs as much.</summary>
    [ThreadStatic]
    private static float[]? _turned;

    /// <summary>X [..., rows], W, dims, [bias [columns]], [addend [..., columns]] → X·W + bias + addend.</summary>
    public static void Forward(KernelCall call)
    {
        var plan = Plan(call, isTransposed: false, out var dims);
        plan.Bias = Vector(call, 3, plan.Columns);
        plan.Addend = OfResult(call, 4, dims);
        plan.Y = call.Output(0, dims);
        PackedProduct.Compute(call, plan);
    }

    /// <summary>X [..., rows] in strips, W, dims, H [..., any], [bias [columns]], [addend [..., columns]] →
    /// X·W + bias + addend.</summary>
    public static void ForwardOfStrips(KernelCall call)
    {
        var plan = PlanOfStrips(call, isTransposed: false, out var dims);
        plan.Bias = Vector(call, 4, plan.Columns);
        plan.Addend = OfResult(call, 5, dims);
        plan.Y = call.Output(0, dims);
        PackedProduct.Compute(call, plan);
    }

    /// <summary>dY [..., columns], W, dims → dY·Wᵀ [..., rows].</summary>
    public static void Transposed(KernelCall call)
    {
        var plan = Plan(call, isTransposed: true, out var dims);
        plan.Y = call.Output(0, dims);
        PackedProduct.Compute(call, plan);
    }

    /// <summary>dY [..., columns] in strips, W, dims, H [..., any] → dY·Wᵀ [..., rows].</summary>
    public static void TransposedOfStrips(KernelCall call)
    {
        var plan = PlanOfStrips(call, isTransposed: true, out var dims);
        plan.Y = call.Output(0, dims);
        PackedProduct.Compute(call, plan);
    }

    /// <summary>X [..., rows], W, dims, bias [columns] → GELU(X·W + bias), X·W.</summary>
    public static void Gelu(KernelCall call) => Gelu(call, inStrips: false);

    /// <summary>The same, but GELU in strips.</summary>
    public static void GeluInStrips(KernelCall call) => Gelu(call, inStrips: true);

    /// <summary>dY [..., columns], W, dims, H [..., rows], bias [rows] → dY·Wᵀ times GELU's slope at H + bias.
    /// </summary>
    public static void GeluGradient(KernelCall call) => GeluGradient(call, inStrips: false);

    /// <summary>The same in strips.</summary>
    public static void GeluGradientInStrips(KernelCall call) => GeluGradient(call, inStrips: true);

    private static void Gelu(KernelCall call, bool inStrips)
    {
        var plan = Plan(call, isTransposed: false, out var dims);
        plan.HiddenBias = Vector(call, 3, plan.Columns);
        if (inStrips)
            plan.StripsOfY = call.Output(0, StripOrder.Dims(plan.Rows, plan.Columns));
        else
            plan.Finished = call.Output(0, dims);
        plan.Y = call.Output(1, dims);
        plan.Finish = &GeluKernel.Activate;
        PackedProduct.Compute(call, plan);
    }

    private static void GeluGradient(KernelCall call, bool inStrips)
    {
        var plan = Plan(call, isTransposed: true, out var dims);
        plan.Hidden = OfResult(call, 3, dims);
        plan.HiddenBias = Vector(call, 4, plan.Columns);
        if (inStrips)
            plan.StripsOfY = call.Output(0, StripOrder.Dims(plan.Rows, plan.Columns));
        else
            plan.Y = call.Output(0, dims);
        plan.Finish = &GeluKernel.MultiplySlope;
        PackedProduct.Compute(call, plan);
    }

    /// <summary>
    /// X [..., rows], W, dims, A [r, rows], B [columns, r], α, [bias [columns]], [addend [..., columns]] →
    /// X·W + α·U·Bᵀ + bias + addend [..., columns], U = X·Aᵀ [m, r].
    /// </summary>
    public static void Lora(KernelCall call)
    {
        var plan = Plan(call, isTransposed: false, out var dims);
        var low = LowRankRows.Plan(plan.X, plan.Rows, plan.Depth, Rank(call, 3, 4, plan.Depth, plan.Columns));
        low.V = call.Input<float>(3);
        low.Factor = *call.Input<float>(5);
        plan.Factors = call.Input<float>(4);
        plan.Bias = Vector(call, 6, plan.Columns);
        plan.Addend = OfResult(call, 7, dims);
        plan.Y = call.Output(0, dims);
        low.U = call.Output(1, [plan.Rows, low.Rank]);
        plan.LowRank = &low;
        PackedProduct.Compute(call, plan);
    }

    /// <summary>
    /// dY [..., columns], W, dims, U [m, r], A [r, rows], B [columns, r], α → dY·Wᵀ + dU·A [..., rows],
    /// dU = α·dY·B [m, r], dB = α·dYᵀ·U [columns, r].
    /// </summary>
    public static void LoraGradient(KernelCall call)
    {
        var plan = Plan(call, isTransposed: true, out var dims);
        var low = LowRankRows.Plan(plan.X, plan.Rows, plan.Depth, Rank(call, 4, 5, plan.Columns, plan.Depth));
        KernelShapes.RequireEqual([plan.Rows, low.Rank], call.Dims(3));
        low.V = KeptMemory.Of(ref _turned, (long)low.Columns * low.Rank);
        Squares.TurnRows(call.Input<float>(5), low.Rank, low.Columns, low.Rank, low.V, low.Columns);
        low.Alpha = *call.Input<float>(6);
        LowRankSums.Prepare(ref low, call.Input<float>(3));
        plan.Factors = call.Input<float>(4);
        plan.Y = call.Output(0, dims);
        low.U = call.Output(1, [plan.Rows, low.Rank]);
        low.Total = call.Output(2, [plan.Depth, low.Rank]);
        plan.LowRank = &low;
        PackedProduct.Compute(call, plan);
        LowRankSums.AddUp(call, &low, isTransposed: true);
    }

    private static ProductPlan Plan(KernelCall call, bool isTransposed, out long[] dims)
    {
        dims = call.Dims(0);
        var plan = PlanOf(call, isTransposed, dims);
        if (dims.Length == 0 || dims[^1] != plan.Depth)
            throw new ArgumentException(
                $"[{string.Join(", ", dims)}] does not end in {plan.Depth}, the matrix's "
                + (isTransposed ? "columns." : "rows."));
        dims[^1] = plan.Columns;
        plan.X = call.Input<float>(0);
        return plan;
    }

    /// <summary>The first input is in strips; input 3 tells how its rows are arranged.</summary>
    private static ProductPlan PlanOfStrips(KernelCall call, bool isTransposed, out long[] dims)
    {
        dims = call.Dims(3);
        var plan = PlanOf(call, isTransposed, dims);
        KernelShapes.RequireEqual(StripOrder.Dims(plan.Rows, plan.Depth), call.Dims(0));
        dims[^1] = plan.Columns;
        plan.StripsOfX = call.Input<float>(0);
        return plan;
    }

    private static ProductPlan PlanOf(KernelCall call, bool isTransposed, long[] dims)
    {
        KernelShapes.RequireVector(2, call.Dims(2));
        var (rows, columns) = (call.Input<long>(2)[0], call.Input<long>(2)[1]);
        KernelShapes.RequireEqual(
            [PackedMatrix.Panels(columns), PackedMatrix.Panels(rows) * PackedMatrix.Width, PackedMatrix.Width],
            call.Dims(1));
        var (depth, width) = isTransposed ? (columns, rows) : (rows, columns);
        return new ProductPlan
        {
            Rows = dims.Length == 0 ? 0 : KernelShapes.Count(dims[..^1]),
            Depth = depth,
            Columns = width,
            Height = PackedMatrix.Panels(rows) * PackedMatrix.Width,
            IsTransposed = isTransposed,
            Panels = call.Input<float>(1),
        };
    }

    private static float* Vector(KernelCall call, int input, long length)
    {
        if (!call.Has(input))
            return null;
        KernelShapes.RequireVector(length, call.Dims(input));
        return call.Input<float>(input);
    }

    private static float* OfResult(KernelCall call, int input, long[] dims)
    {
        if (!call.Has(input))
            return null;
        KernelShapes.RequireEqual(dims, call.Dims(input));
        return call.Input<float>(input);
    }

    /// <summary>The rank of A [r, rows] and B [columns, r].</summary>
    private static int Rank(KernelCall call, int a, int b, long rows, long columns)
    {
        var rank = call.Matrix(a).Rows;
        KernelShapes.RequireEqual([rank, rows], call.Dims(a));
        KernelShapes.RequireEqual([columns, rank], call.Dims(b));
        return rank is > 0 and <= LowRankPlan.Most
            ? rank
            : throw new ArgumentException($"the rank is {rank}, not 1 to {LowRankPlan.Most}.");
    }
}

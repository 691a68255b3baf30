using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.LowRank;
using OrtPeft.Kernels.Native;
using OrtPeft.Tensors;

namespace OrtPeft.Kernels.Products;

/// <summary>
/// The operators that multiply with a packed constant matrix W [rows, columns], of float32 (<see cref="PackedMatrix"/>),
/// in bfloat16 (<see cref="PackedBf16"/>) or in few bits (<see cref="PackedCodes"/>); dims is [rows, columns]. Rewrites
/// make them once a graph is differentiated; rows in strips (<see cref="StripOrder"/>) are handed from the one to the
/// other.
/// </summary>
public static unsafe class PackedMatMul
{
    private const string W = "W:any[**], dims:int64[2]";

    /// <summary>X·W + bias + addend.</summary>
    public static FusedOp Forward { get; } = new()
    {
        Name = "MatMul",
        Signature = OpSignature.Parse($"X~[..., *], {W}, bias?[columns], addend~?[..., columns] → Y[..., *]"),
        Run = RunForward,
    };

    /// <summary>dY·Wᵀ.</summary>
    public static FusedOp Transposed { get; } = new()
    {
        Name = "MatMulTransposed",
        Signature = OpSignature.Parse($"dY[..., *], {W} → dX[..., *]"),
        Run = RunTransposed,
    };

    /// <summary>The MLP's first layer: GELU(H + bias), H = X·W.</summary>
    public static FusedOp Gelu { get; } = new()
    {
        Name = "MatMulGelu",
        Signature = OpSignature.Parse($"X~[..., *], {W}, bias[columns] → Y[..., columns], H[..., columns]"),
        Run = static call => RunGelu(call, inStrips: false),
    };

    /// <summary>The gradient before its second: (dY·Wᵀ)∘GELU′(H + bias).</summary>
    public static FusedOp GeluGrad { get; } = new()
    {
        Name = "MatMulGeluGrad",
        Signature = OpSignature.Parse($"dY[..., *], {W}, H~[..., rows], bias[rows] → dX[..., rows]"),
        Run = static call => RunGeluGrad(call, inStrips: false),
    };

    /// <summary><see cref="Forward"/> of X in strips; a value with as many rows tells how they are arranged.</summary>
    public static FusedOp OfStrips { get; } = new()
    {
        Name = "MatMulOfStrips",
        Signature = OpSignature.Parse(
            $"X[*, *, *], {W}, like[..., *], bias?[columns], addend?[..., columns] → Y[..., *]"),
        Run = RunOfStrips,
    };

    /// <summary><see cref="Transposed"/> of dY in strips.</summary>
    public static FusedOp TransposedOfStrips { get; } = new()
    {
        Name = "MatMulTransposedOfStrips",
        Signature = OpSignature.Parse($"dY[*, *, *], {W}, like[..., *] → dX[..., *]"),
        Run = RunTransposedOfStrips,
    };

    /// <summary><see cref="Gelu"/> whose first result is in strips.</summary>
    public static FusedOp GeluInStrips { get; } = new()
    {
        Name = "MatMulGeluInStrips",
        Signature = OpSignature.Parse($"X~[..., *], {W}, bias[columns] → Y[**], H[..., columns]"),
        Run = static call => RunGelu(call, inStrips: true),
    };

    /// <summary><see cref="GeluGrad"/> whose result is in strips.</summary>
    public static FusedOp GeluGradInStrips { get; } = new()
    {
        Name = "MatMulGeluGradInStrips",
        Signature = OpSignature.Parse($"dY[..., *], {W}, H~[..., rows], bias[rows] → dX[**]"),
        Run = static call => RunGeluGrad(call, inStrips: true),
    };

    /// <summary>A layer with LoRA: X·W + α·U·Bᵀ + bias + addend, U = XA·Aᵀ, where XA is X if it is left out.</summary>
    public static FusedOp Lora { get; } = new()
    {
        Name = "MatMulLora",
        Signature = OpSignature.Parse(
            $"X~[..., rows], {W}, A[r, rows], B[columns, r], alpha[], bias?[columns], addend~?[..., columns], "
            + "XA~?[m, rows] → Y[..., columns], U[*, r]"),
        Run = RunLora,
    };

    /// <summary>Its gradient: dX = dY·Wᵀ + dU·A, or dY·Wᵀ without A; dU = α·dY·B, dB = α·dYᵀ·U.</summary>
    public static FusedOp LoraGrad { get; } = new()
    {
        Name = "MatMulLoraGrad",
        Signature = OpSignature.Parse(
            $"dY[..., columns], {W}, U~[m, r], A?[r, rows], B[columns, r], alpha[] "
            + "→ dX[..., rows], dU[m, r], dB[columns, r]"),
        Run = RunLoraGrad,
    };

    /// <summary>LoRA's B, turned; kept, since the next layer needs as much.</summary>
    [ThreadStatic]
    private static float[]? _turned;

    private static void RunForward(KernelCall call)
    {
        var plan = Plan(call, isTransposed: false, out var dims);
        plan.Bias = Vector(call, 3, plan.Columns);
        plan.Addend = OfResult(call, 4, dims);
        plan.Y = call.Output(0, dims);
        PackedProduct.Compute(call, plan);
    }

    private static void RunOfStrips(KernelCall call)
    {
        var plan = PlanOfStrips(call, isTransposed: false, out var dims);
        plan.Bias = Vector(call, 4, plan.Columns);
        plan.Addend = OfResult(call, 5, dims);
        plan.Y = call.Output(0, dims);
        PackedProduct.Compute(call, plan);
    }

    private static void RunTransposed(KernelCall call)
    {
        var plan = Plan(call, isTransposed: true, out var dims);
        plan.Y = call.Output(0, dims);
        PackedProduct.Compute(call, plan);
    }

    private static void RunTransposedOfStrips(KernelCall call)
    {
        var plan = PlanOfStrips(call, isTransposed: true, out var dims);
        plan.Y = call.Output(0, dims);
        PackedProduct.Compute(call, plan);
    }

    private static void RunGelu(KernelCall call, bool inStrips)
    {
        var plan = Plan(call, isTransposed: false, out var dims);
        plan.HiddenBias = Vector(call, 3, plan.Columns);
        if (inStrips)
            plan.StripsOfY = call.Output(0, StripOrder.Dims(plan.Rows, plan.Columns));
        else
            plan.Finished = call.Output(0, dims);
        plan.Y = call.Output(1, dims);
        plan.Finish = &Operators.Gelu.Activate;
        PackedProduct.Compute(call, plan);
    }

    private static void RunGeluGrad(KernelCall call, bool inStrips)
    {
        var plan = Plan(call, isTransposed: true, out var dims);
        plan.Hidden = OfResult(call, 3, dims);
        plan.HiddenBias = Vector(call, 4, plan.Columns);
        if (inStrips)
            plan.StripsOfY = call.Output(0, StripOrder.Dims(plan.Rows, plan.Columns));
        else
            plan.Y = call.Output(0, dims);
        plan.Finish = &Operators.Gelu.MultiplySlope;
        PackedProduct.Compute(call, plan);
    }

    private static void RunLora(KernelCall call)
    {
        var plan = Plan(call, isTransposed: false, out var dims);
        var low = LowRankRows.Plan(plan.X, plan.Rows, plan.Depth, Rank(call, 3, 4, plan.Depth, plan.Columns));
        if (call.Has(8))
        {
            KernelShapes.RequireEqual([plan.Rows, plan.Depth], call.Dims(8));
            low.X = call.Input<float>(8);
        }

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

    private static void RunLoraGrad(KernelCall call)
    {
        var plan = Plan(call, isTransposed: true, out var dims);
        var low = LowRankRows.Plan(plan.X, plan.Rows, plan.Depth, Rank(call, 4, 5, plan.Columns, plan.Depth));
        KernelShapes.RequireEqual([plan.Rows, low.Rank], call.Dims(3));
        low.V = KeptMemory.Of(ref _turned, (long)low.Columns * low.Rank);
        Squares.TurnRows(call.Input<float>(5), low.Rank, low.Columns, low.Rank, low.V, low.Columns);
        low.Alpha = *call.Input<float>(6);
        LowRankSums.Prepare(ref low, call.Input<float>(3));
        if (call.Has(4))
            plan.Factors = call.Input<float>(4);
        plan.Y = call.Output(0, dims);
        low.U = call.Output(1, [plan.Rows, low.Rank]);
        low.Total = call.Output(2, [plan.Depth, low.Rank]);
        plan.LowRank = &low;
        PackedProduct.Compute(call, plan);
        LowRankSums.AddUp(call, in low, isTransposed: true);
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

    /// <summary>A product of a matrix with these axes, whose last one is left to the caller to check, and the packed
    /// matrix in inputs 1 and 2.</summary>
    /// <exception cref="ArgumentException">The packed matrix is of another size, or of no known form.</exception>
    internal static ProductPlan PlanOf(KernelCall call, bool isTransposed, ReadOnlySpan<long> dims)
    {
        KernelShapes.RequireVector(2, call.Dims(2));
        var (rows, columns) = (call.Input<long>(2)[0], call.Input<long>(2)[1]);
        var (depth, width) = isTransposed ? (columns, rows) : (rows, columns);
        var plan = new ProductPlan
        {
            Rows = dims.Length == 0 ? 0 : KernelShapes.Count(dims[..^1]),
            Depth = depth,
            Columns = width,
            Height = PackedMatrix.Panels(rows) * PackedMatrix.Width,
            IsTransposed = isTransposed,
        };
        var (packed, panels) = (call.Dims(1), PackedMatrix.Panels(columns));
        switch (call.TypeOf(1))
        {
            case ElementType.UInt8:
                plan.Codes = new CodePanels(call.Input<byte>(1), packed.Count());
                if (!plan.Codes.Are(rows, columns))
                    throw new ArgumentException($"the packed matrix is not [{rows}, {columns}].");
                break;
            case ElementType.BFloat16:
                KernelShapes.RequireEqual([panels, plan.Height / 2, PackedBf16.PairWidth], packed);
                plan.Pairs = call.Input<float>(1);
                break;
            case ElementType.Float:
                KernelShapes.RequireEqual([panels, plan.Height, PackedMatrix.Width], packed);
                plan.Panels = call.Input<float>(1);
                break;
            case var type:
                throw new ArgumentException($"a packed matrix is not of {type}.");
        }

        return plan;
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

    /// <summary>The rank of A [r, rows], if it is there, and B [columns, r].</summary>
    private static int Rank(KernelCall call, int a, int b, long rows, long columns)
    {
        var rank = call.Has(a) ? call.Matrix(a).Rows : call.Matrix(b).Columns;
        if (call.Has(a))
            KernelShapes.RequireEqual([rank, rows], call.Dims(a));
        KernelShapes.RequireEqual([columns, rank], call.Dims(b));
        return rank is > 0 and <= LowRankPlan.Most
            ? rank
            : throw new ArgumentException($"the rank is {rank}, not 1 to {LowRankPlan.Most}.");
    }
}

using System.Numerics.Tensors;
using OrtPeft.Kernels.Native;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// Layer normalisation over the last axis and its gradient, row by row. The gradient computes mean and deviation again,
/// which costs less than reading them from memory would.
/// </summary>
internal static unsafe class LayerNormKernel
{
    /// <summary>X [..., n], scale [n], bias [n], ε [] → x̂·scale + bias [..., n].</summary>
    public static void Forward(KernelCall call)
    {
        var dims = call.Dims(0);
        KernelShapes.RequireVector(dims[^1], call.Dims(1));
        KernelShapes.RequireVector(dims[^1], call.Dims(2));
        call.ShareRows(call.Work(&ForwardRow, dims) with { Number = *call.Input<float>(3) }, dims);
    }

    /// <summary>
    /// dY [..., n], X [..., n], scale [n], ε [], [addend [..., n]] → with g = dY·scale,
    /// dX = (g − mean(g) − x̂·mean(g·x̂))/deviation + addend. The last input may be missing.
    /// </summary>
    public static void Backward(KernelCall call)
    {
        var dims = call.Dims(0);
        KernelShapes.RequireEqual(dims, call.Dims(1));
        KernelShapes.RequireVector(dims[^1], call.Dims(2));
        var work = call.Work(&BackwardRow, dims) with { Number = *call.Input<float>(3) };
        if (call.Has(4))
        {
            KernelShapes.RequireEqual(dims, call.Dims(4));
            work.D = call.Input<float>(4);
        }

        call.ShareRows(work, dims);
    }

    private static void ForwardRow(in KernelWork work, long row)
    {
        var n = work.Columns;
        var y = new Span<float>(work.Y + (row * n), n);
        var inverse = Centre(new ReadOnlySpan<float>(work.A + (row * n), n), y, work.Number);
        TensorPrimitives.Multiply(y, inverse, y);
        TensorPrimitives.MultiplyAdd(y, new ReadOnlySpan<float>(work.B, n), new ReadOnlySpan<float>(work.C, n), y);
    }

    private static void BackwardRow(in KernelWork work, long row)
    {
        var n = work.Columns;
        var dX = new Span<float>(work.Y + (row * n), n);
        var normal = new Span<float>(new KernelScratch(n, parts: 1).Take(n), n);
        var inverse = Centre(new ReadOnlySpan<float>(work.B + (row * n), n), normal, work.Number);
        TensorPrimitives.Multiply(normal, inverse, normal);
        TensorPrimitives.Multiply(
            new ReadOnlySpan<float>(work.A + (row * n), n), new ReadOnlySpan<float>(work.C, n), dX);
        var shift = TensorPrimitives.Sum(dX) / n;
        var slope = TensorPrimitives.Dot(dX, normal) / n;
        TensorPrimitives.MultiplyAdd(normal, -slope, dX, dX);
        TensorPrimitives.Subtract(dX, shift, dX);
        if (work.D == null)
            TensorPrimitives.Multiply(dX, inverse, dX);
        else
            TensorPrimitives.MultiplyAdd(dX, inverse, new ReadOnlySpan<float>(work.D + (row * n), n), dX);
    }

    /// <summary>Writes x − mean and returns 1/√(variance + ε).</summary>
    private static float Centre(ReadOnlySpan<float> x, Span<float> centred, float epsilon)
    {
        TensorPrimitives.Subtract(x, TensorPrimitives.Sum(x) / x.Length, centred);
        var variance = TensorPrimitives.SumOfSquares(centred) / x.Length;
        return 1 / MathF.Sqrt(variance + epsilon);
    }
}

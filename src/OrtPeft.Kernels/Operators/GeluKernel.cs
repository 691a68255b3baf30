using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using OrtPeft.Kernels.Layouts;
using OrtPeft.Kernels.Loops;
using OrtPeft.Kernels.Native;
using OrtPeft.Kernels.Products;

namespace OrtPeft.Kernels.Operators;

/// <summary>
/// GELU's tanh form, x·σ(z) with z = x·(a + b·x²), of a linear layer's product and its bias, and the gradient, in one
/// pass over memory each.
/// </summary>
internal static unsafe class GeluKernel
{
    /// <summary>a = 2·√(2/π).</summary>
    private const float Linear = 1.5957691216057308f;

    /// <summary>b = 2·√(2/π)·0.044715.</summary>
    private const float Cubic = 0.071354816272600248f;

    /// <summary>X [..., n], bias [n] → GELU(X + bias) [..., n].</summary>
    public static void Forward(KernelCall call)
    {
        var dims = call.Dims(0);
        KernelShapes.RequireVector(dims[^1], call.Dims(1));
        call.ShareRows(call.Work(&ForwardRow, dims), dims);
    }

    /// <summary>
    /// dY [..., n], X [..., n], bias [n] → with x = X + bias, dX = dY·(σ + σ(1 − σ)·(3z − 2a·x)) [..., n].
    /// </summary>
    public static void Backward(KernelCall call)
    {
        var dims = call.Dims(0);
        KernelShapes.RequireEqual(dims, call.Dims(1));
        KernelShapes.RequireVector(dims[^1], call.Dims(2));
        call.ShareRows(call.Work(&BackwardRow, dims), dims);
    }

    /// <summary>GELU of a tile of a product, which stays as it is.</summary>
    [SkipLocalsInit]
    public static void Activate(in ProductPlan plan, in FinishedTile tile)
    {
        if (tile.Strip == null)
        {
            var y = new StridedRows(plan.Finished + tile.Place, (nint)plan.Columns);
            Map<Value>(in plan, in tile, tile.Sums, y, streams: true);
            return;
        }

        var rows = stackalloc float[StripOrder.Numbers];
        Map<Value>(in plan, in tile, tile.Sums, new StridedRows(rows, PackedMatrix.Width), streams: false);
        StripOrder.Stream(rows, in tile);
    }

    /// <summary>A tile of a product times GELU's slope.</summary>
    [SkipLocalsInit]
    public static void MultiplySlope(in ProductPlan plan, in FinishedTile tile)
    {
        var hidden = new StridedRows(plan.Hidden + tile.Place, (nint)plan.Columns);
        if (tile.Strip == null)
        {
            Map<Gradient>(in plan, in tile, hidden, tile.Sums, streams: false);
            return;
        }

        var rows = stackalloc float[StripOrder.Numbers];
        Map<Gradient>(in plan, in tile, hidden, new StridedRows(rows, PackedMatrix.Width), streams: false);
        StripOrder.Put(rows, in tile);
    }

    private static void Map<TFunction>(
        in ProductPlan plan, in FinishedTile tile, StridedRows second, StridedRows y, bool streams)
        where TFunction : ITernaryFunction => VectorLoops.MapRows<TFunction>(
            tile.Sums, second, plan.HiddenBias + tile.Column, y, tile.Rows, tile.Columns, streams);

    private static void ForwardRow(in KernelWork work, long row)
    {
        var x = work.A + (row * work.Columns);
        VectorLoops.Map<Value>(x, x, work.B, work.Y + (row * work.Columns), work.Columns);
    }

    private static void BackwardRow(in KernelWork work, long row)
    {
        var start = row * work.Columns;
        VectorLoops.Map<Gradient>(work.A + start, work.B + start, work.C, work.Y + start, work.Columns);
    }

    /// <summary>−z.</summary>
    private static Vector512<float> NegativeInner(Vector512<float> x) =>
        x * Vector512.FusedMultiplyAdd(x * x, Vector512.Create(-Cubic), Vector512.Create(-Linear));

    private readonly struct Value : ITernaryFunction
    {
        public static Vector512<float> Of(Vector512<float> product, Vector512<float> same, Vector512<float> bias)
        {
            var x = product + bias;
            return x * VectorExp.SigmoidOfNegative(NegativeInner(x));
        }
    }

    private readonly struct Gradient : ITernaryFunction
    {
        public static Vector512<float> Of(Vector512<float> dY, Vector512<float> product, Vector512<float> bias)
        {
            var x = product + bias;
            var z = NegativeInner(x);
            var sigma = VectorExp.SigmoidOfNegative(z);
            var slope = Vector512.FusedMultiplyAdd(x, Vector512.Create(-2 * Linear), z * -3);
            return dY * Vector512.FusedMultiplyAdd(sigma * (Vector512<float>.One - sigma), slope, sigma);
        }
    }
}
